-- Move an article from its feed's quarantine back into its outbox.
-- KEYS  1 payloads (hash), 2 pending (zset), 3 quarantine (hash): one feed's, one hash tag
-- ARGV  1 now, in seconds, 2 article id, 3 the record as it was read, 4 the payload in it
-- Returns  1 moved, 0 another record stands there or none does: nothing was done
-- Cost  O(log P), P = what is pending of the feed
-- Invariant  what waits in the outbox is never older than what is put back: it gives way to nothing
if redis.call('HGET', KEYS[3], ARGV[2]) ~= ARGV[3] then
  return 0
end
if redis.call('HSETNX', KEYS[1], ARGV[2], ARGV[4]) == 1 then
  redis.call('ZADD', KEYS[2], ARGV[1], ARGV[2])
end
redis.call('HDEL', KEYS[3], ARGV[2])
return 1
