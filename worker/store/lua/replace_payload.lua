-- Put what was made of an article in its place, and let it wait no longer.
-- KEYS  1 payloads (hash), 2 pending (zset): one feed's, one hash tag
-- ARGV  1 article id, 2 the payload that it was made of, 3 the new payload, 4 now, in seconds
-- Returns  1 replaced, 0 another payload waits or none does: nothing was done
-- Cost  O(log P), P = what is pending of the feed
-- Invariant  a newer revision, and what is settled or in quarantine, is left as it is
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
redis.call('HSET', KEYS[1], ARGV[1], ARGV[3])
redis.call('ZADD', KEYS[2], ARGV[4], ARGV[1])
return 1
