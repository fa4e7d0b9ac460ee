-- Lease the feeds that are due: they are due again when the lease runs out.
-- KEYS  1 schedule (zset)
-- ARGV  1 lease what is due by then, 2 the end of the lease: seconds; 3 the most feeds to lease
-- Returns  the feed ids, the longest due first
-- Cost  O(log F) a feed, F = the feeds
-- Invariant  of any number of pollers one gets a feed, and nobody else until the lease ends
local due = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[3])
for _, feed in ipairs(due) do
  redis.call('ZADD', KEYS[1], 'XX', ARGV[2], feed)
end
return due
