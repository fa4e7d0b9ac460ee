-- Leave a gate, and close it for a while where the server asks for that.
-- KEYS  1 gate (hash), 2 visitors (zset)
-- ARGV  1 the visit that ends, 2 now, "" for the server's clock; 3 how long it took, 0 for none; 4 how long nobody
--       shall ask, 5 how long no page shall be asked for; 0 for no wish: seconds
-- Returns  nothing
-- Cost  O(1)
-- Invariant  a gate is never opened sooner than was asked for
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1e6
end
redis.call('ZREM', KEYS[2], ARGV[1])
local took, wait, delay = tonumber(ARGV[3]), tonumber(ARGV[4]), tonumber(ARGV[5])
local said = redis.call('HMGET', KEYS[1], 'hold', 'closed', 'crawl')
if took > 0 then
  local hold = tonumber(said[1] or took)
  redis.call('HSET', KEYS[1], 'hold', string.format('%.3f', 0.7 * hold + 0.3 * took))
end
if wait > 0 then
  redis.call('HSET', KEYS[1], 'closed', string.format('%.6f', math.max(tonumber(said[2] or '0'), now + wait)))
end
if delay > 0 then
  redis.call('HSET', KEYS[1], 'crawl', string.format('%.6f', math.max(tonumber(said[3] or '0'), now + delay)))
end
local longest = math.max(wait, delay)
if redis.call('TTL', KEYS[1]) < longest + 3600 then
  redis.call('EXPIRE', KEYS[1], math.ceil(longest) + 3600)
end
