-- End the lease of a delivery with what came of it.
-- KEYS  1 queue (zset), 2 deliveries (hash), 3 dead (list), 4 state (hash)
-- ARGV  1 its id, 2 the end of the lease that it was sent under, 3 'done', 'again' or 'dead', 4 when it is due again: seconds, 5 itself, packed
--       ('' if done), 6 the most dead ones
-- Returns  1; 0 where the lease ran out and another has it
-- Cost  O(log N), N = the deliveries
-- Invariant  a delivery is in the queue until it was taken, or stands in the list of dead ones, or is counted as lost
if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or '-1') ~= tonumber(ARGV[2]) then
  return 0
end
if ARGV[3] == 'again' then
  redis.call('HSET', KEYS[2], ARGV[1], ARGV[5])
  redis.call('ZADD', KEYS[1], ARGV[4], ARGV[1])
  return 1
end
if ARGV[3] == 'dead' then
  if redis.call('LPUSH', KEYS[3], ARGV[5]) > tonumber(ARGV[6]) then
    redis.call('HINCRBY', KEYS[4], 'lost', 1)
  end
  redis.call('LTRIM', KEYS[3], 0, tonumber(ARGV[6]) - 1)
end
redis.call('ZREM', KEYS[1], ARGV[1])
redis.call('HDEL', KEYS[2], ARGV[1])
return 1
