-- End a lease: plan a feed's next poll.
-- KEYS  1 schedule (zset)
-- ARGV  1 feed id, 2 the end of the lease, 3 the next poll: seconds
-- Returns  1 done, or done already: the answer may have been lost on the way; 0 the lease ran out and another poller has the feed; -1 the feed was removed
-- Cost  O(log F), F = the feeds
-- Invariant  only who holds the lease plans the next poll
local planned = redis.call('ZSCORE', KEYS[1], ARGV[1])
if not planned then
  return -1
end
if tonumber(planned) == tonumber(ARGV[3]) then
  return 1
end
if tonumber(planned) ~= tonumber(ARGV[2]) then
  return 0
end
redis.call('ZADD', KEYS[1], 'XX', ARGV[3], ARGV[1])
return 1
