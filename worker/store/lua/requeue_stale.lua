-- Find what has been pending in a feed's outbox for too long, and mark it as queued again.
-- KEYS  1 pending (zset)
-- ARGV  1 now, in seconds; 2 the most articles to take; then two for each range of scores, its ends as ZRANGE has them:
--       queued too long ago, queued later than now (the clock was set back since), and what waited for something until now
-- Returns  the ids of those in the ranges, the first range first, oldest first in each
-- Cost  O(log P) an article taken, P = what is pending of the feed
-- Invariant  an article is handed to one caller only, until it is stale again
local stale, most = {}, tonumber(ARGV[2])
for i = 3, #ARGV, 2 do
  if #stale < most then
    for _, id in ipairs(redis.call('ZRANGE', KEYS[1], ARGV[i], ARGV[i + 1], 'BYSCORE', 'LIMIT', 0, most - #stale)) do
      stale[#stale + 1] = id
    end
  end
end
for _, id in ipairs(stale) do
  redis.call('ZADD', KEYS[1], 'XX', ARGV[1], id)
end
return stale
