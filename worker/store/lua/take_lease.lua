-- Take the lease of a language, if it is free.
-- KEYS: 1 lease, 2 fence, 3 counters
-- ARGV: 1 TTL in milliseconds
-- Returns {fence, last commit, last story number, last correction, version of the corrections}, or {0} where somebody
--         holds it.
-- Cost: O(1). Invariant: the fencing number only grows; whoever holds an older one can commit nothing.
if redis.call('EXISTS', KEYS[1]) == 1 then
  return {0}
end
local fence = redis.call('INCR', KEYS[2])
redis.call('SET', KEYS[1], fence, 'PX', ARGV[1])
local counters = redis.call('HMGET', KEYS[3], 'seq', 'story', 'hand', 'corrected')
for i = 1, 3 do
  counters[i] = tonumber(counters[i] or 0)
end
counters[4] = counters[4] or ''
return {fence, unpack(counters)}
