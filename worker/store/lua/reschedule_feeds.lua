-- End leases: plan the next polls of feeds.
-- KEYS  1 schedule (zset)
-- ARGV  for each feed: its id, the end of the lease, the next poll: seconds
-- Returns  for each feed: 1 done, or done already: the answer may have been lost on the way; 0 the lease ran out and another poller has the feed; -1 the feed was removed
-- Cost  O(log F) a feed, F = the feeds
-- Invariant  only who holds the lease plans the next poll
local answers = {}
for i = 1, #ARGV, 3 do
  local planned = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[i]) or nil)
  local answer = 0
  if not planned then
    answer = -1
  elseif planned == tonumber(ARGV[i + 2]) then
    answer = 1
  elseif planned == tonumber(ARGV[i + 1]) then
    redis.call('ZADD', KEYS[1], 'XX', ARGV[i + 2], ARGV[i])
    answer = 1
  end
  answers[#answers + 1] = answer
end
return answers
