-- Ask to be let in at a gate: now, or at a turn of one's own.
-- KEYS  1 gate (hash), 2 visitors (zset), 3 turns (zset)
-- ARGV  1 who asks, 2 now, "" for the server's clock; 3 the least time between starts, 4 the most visitors at once,
--       5 how long a visitor's place is kept, 6 how long who asks is ready to wait on the spot, a minute at
--       most: seconds; 7 which question this is: something that is never said again
-- Returns  {1, seconds to the start, ''}, or {0, seconds to the turn, why: 'spacing', 'full' or 'closed'}
-- Cost  O(log W), W = who waits at this gate: whoever asks too early is told one turn, which nobody else gets
-- Invariant  starts are at least the spacing apart, and no more than the most are inside, whoever asks from wherever;
--            turns are given in the order of asking, and a turn outlasts who holds it by a day at most
local who, spacing, most = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4])
local ready = tonumber(ARGV[6])
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1e6
end
local said = redis.call('HMGET', KEYS[1], 'last', 'next', 'closed', 'hold', 'asked')
if said[5] == ARGV[7] then -- let in already: the answer was lost on the way
  return {1, string.format('%.6f', math.max(tonumber(said[1]) - now, 0)), ''}
end
local last, nextfree = tonumber(said[1] or '-inf'), tonumber(said[2] or '-inf')
local closed, hold = tonumber(said[3] or '-inf'), tonumber(said[4] or '0')
if last > now + 60 then -- nobody starts so far ahead: the clock was set back
  last, nextfree, closed = now, now, now
  redis.call('DEL', KEYS[2], KEYS[3])
  redis.call('HSET', KEYS[1], 'last', string.format('%.6f', now))
  redis.call('HDEL', KEYS[1], 'next', 'closed')
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local inside = redis.call('ZCARD', KEYS[2])
if inside > 0 and redis.call('ZSCORE', KEYS[2], who) then
  inside = inside - 1
end
local pace = spacing
if inside + 1 >= most then -- turns as far apart as visits take, or who has one would find the gate full
  pace = math.max(spacing, math.min(hold, tonumber(ARGV[5])) / most)
end
local turn = tonumber(redis.call('ZSCORE', KEYS[3], who) or nil)
local start = math.max(turn or nextfree, last + spacing, now)
local answer
if closed <= start and inside < most and start - now <= ready then
  redis.call('HSET', KEYS[1], 'last', string.format('%.6f', start), 'asked', ARGV[7],
    'next', string.format('%.6f', math.max(nextfree, start + pace)))
  redis.call('ZREM', KEYS[3], who)
  redis.call('ZADD', KEYS[2], start + tonumber(ARGV[5]), who)
  redis.call('EXPIRE', KEYS[2], math.ceil(start - now + tonumber(ARGV[5])) + 1)
  answer = {1, start - now, ''}
else
  if not turn or turn <= now or turn < closed then
    -- one that found its turn taken from it waits behind all that were told theirs
    turn = math.max(nextfree, closed, last + spacing, now + math.max(pace, 0.1))
    nextfree = turn + pace
    redis.call('HSET', KEYS[1], 'next', string.format('%.6f', nextfree))
    redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - 86400)
    redis.call('ZADD', KEYS[3], string.format('%.6f', turn), who)
  end
  answer = {0, turn - now, closed > now and 'closed' or inside < most and 'spacing' or 'full'}
end
answer[2] = string.format('%.6f', math.max(answer[2], 0))
local ttl = math.ceil(math.max(nextfree, closed, now) - now) + 3600
redis.call('EXPIRE', KEYS[1], ttl)
redis.call('EXPIRE', KEYS[3], ttl)
return answer
