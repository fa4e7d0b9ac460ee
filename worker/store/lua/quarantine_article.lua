-- Move an article that cannot be processed from its feed's outbox into its quarantine.
-- KEYS  1 payloads (hash), 2 pending (zset), 3 quarantine (hash): one feed's, one hash tag
-- ARGV  1 article id, 2 the payload that could not be processed, 3 the record of it, 4 the most records a feed may have,
--       5 the score of what finds no room: it is pending, and not tried again before that time
-- Returns  1 moved, 0 another payload waits or none does: nothing was done, -1 the quarantine is full: it stays
-- Cost  O(log P), P = what is pending of the feed
-- Invariant  an article is in the outbox or in the quarantine at every moment, and leaves one for the other as a whole
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
if redis.call('HEXISTS', KEYS[3], ARGV[1]) == 0 and redis.call('HLEN', KEYS[3]) >= tonumber(ARGV[4]) then
  redis.call('ZADD', KEYS[2], 'XX', ARGV[5], ARGV[1])
  return -1
end
redis.call('HSET', KEYS[3], ARGV[1], ARGV[3])
redis.call('HDEL', KEYS[1], ARGV[1])
redis.call('ZREM', KEYS[2], ARGV[1])
return 1
