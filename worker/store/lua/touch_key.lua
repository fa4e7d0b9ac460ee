-- Write something that changes nothing, to the server of a key: what it wrote before is on its way to its replicas, and
-- whoever waits (WAIT) until they have this knows that they have that too.
-- KEYS  1 any
-- Returns  1
-- Cost  O(1)
-- Invariant  something is written whenever it is called
if redis.call('EXISTS', KEYS[1]) == 0 then
  redis.call('SET', KEYS[1], '')
  redis.call('DEL', KEYS[1])
  return 1
end
local ttl = redis.call('TTL', KEYS[1])
redis.call('EXPIRE', KEYS[1], ttl < 1 and 60 or ttl)
if ttl == -1 then
  redis.call('PERSIST', KEYS[1])
end
return 1
