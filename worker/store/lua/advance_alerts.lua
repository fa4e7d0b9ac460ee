-- Go on in the events, and raise what was found on the way, once a story and rule.
-- KEYS  1 state (hash), 2 told (zset), 3 queue (zset), 4 deliveries (hash), 5 dead (list)
-- ARGV  1 the position that was read from ('-' for none), 2 the new one, 3 now: seconds, 4 the most deliveries that wait, 5 the most dead ones,
--       6 the most marks, 7 seconds that a mark is kept; then for each find the number of its names, its names (the first is the story's now,
--       the others those of stories that it took in), the number of its deliveries, and of each its id, itself, and itself as dead
-- Returns  the number of finds that were raised; -1 where somebody else has gone on from that position: nothing was written
-- Cost  O(log N) a name, N = the marks
-- Invariant  a story is told of once a rule, under whatever number, and the position never passes what was not raised; the mark of one that is
--            known by a story that it took in ends with a zero byte, so that what was raised itself can be told from it
if (redis.call('HGET', KEYS[1], 'position') or '-') ~= ARGV[1] then
  return -1
end
local now, most = tonumber(ARGV[3]), tonumber(ARGV[4])
local raised, place = 0, 8
while place <= #ARGV do
  local names, known = tonumber(ARGV[place]), false
  local first = ARGV[place + 1]
  for i = 1, names do
    local name = ARGV[place + i]
    known = known or redis.call('ZSCORE', KEYS[2], name) or redis.call('ZSCORE', KEYS[2], name .. '\0')
  end
  local itself = not known or redis.call('ZSCORE', KEYS[2], first)
  redis.call('ZADD', KEYS[2], now, itself and first or first .. '\0')
  place = place + names + 1
  local count = tonumber(ARGV[place])
  if not known then
    raised = raised + 1
    for i = 0, count - 1 do
      local id, whole, dead = ARGV[place + 1 + 3 * i], ARGV[place + 2 + 3 * i], ARGV[place + 3 + 3 * i]
      if redis.call('ZCARD', KEYS[3]) < most then
        redis.call('ZADD', KEYS[3], now, id)
        redis.call('HSET', KEYS[4], id, whole)
      else
        if redis.call('LPUSH', KEYS[5], dead) > tonumber(ARGV[5]) then
          redis.call('HINCRBY', KEYS[1], 'lost', 1)
        end
        redis.call('LTRIM', KEYS[5], 0, tonumber(ARGV[5]) - 1)
      end
    end
  end
  place = place + 1 + 3 * count
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - tonumber(ARGV[7]))
redis.call('ZREMRANGEBYRANK', KEYS[2], 0, -1 - tonumber(ARGV[6]))
redis.call('HSET', KEYS[1], 'position', ARGV[2])
return raised
