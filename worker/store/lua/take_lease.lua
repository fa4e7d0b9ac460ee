-- Take the lease of a language, if it is free.
-- KEYS: 1 lease, 2 fence, 3 counters
-- ARGV: 1 TTL in milliseconds, 2 who asks: something that nobody else says
-- Returns {fence, last commit, last story number, last correction, version of the corrections}, or {0} where somebody
--         holds it. Who asks again, as the answer was lost on the way, gets the lease that it holds already.
-- Cost: O(1). Invariant: the fencing number only grows; whoever holds an older one can commit nothing. A server that
--         came back without its last second gives a number out again, but never with the same name behind it.
local held = redis.call('GET', KEYS[1])
local fence = held and held:match('^%d+')
if not fence or held ~= fence .. ' ' .. ARGV[2] then
  -- one that has longer to go than any is given was left behind when the server's clock was set back
  if held and redis.call('PTTL', KEYS[1]) <= 2 * tonumber(ARGV[1]) then
    return {0}
  end
  fence = redis.call('INCR', KEYS[2])
  held = fence .. ' ' .. ARGV[2]
  redis.call('SET', KEYS[1], held, 'PX', ARGV[1])
  redis.call('HSET', KEYS[3], 'taker', held)
end
local counters = redis.call('HMGET', KEYS[3], 'seq', 'story', 'hand', 'corrected')
for i = 1, 3 do
  counters[i] = tonumber(counters[i] or 0)
end
counters[4] = counters[4] or ''
return {tonumber(fence), unpack(counters)}
