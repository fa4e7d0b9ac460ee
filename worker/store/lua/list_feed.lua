-- Put a feed on a list of those that may have something, whether it is there or not.
-- KEYS  1 the list (zset)
-- ARGV  1 now, in seconds; 2 the feed
-- Returns  1
-- Cost  O(log F), F = the feeds listed
-- Invariant  something is written whenever it is called: a call that comes again is waited for (WAIT) like the first
redis.call('ZREM', KEYS[1], ARGV[2])
redis.call('ZADD', KEYS[1], ARGV[1], ARGV[2])
return 1
