-- Find what has been pending in a feed's outbox for too long, and mark it as queued again.
-- KEYS  1 pending (zset)
-- ARGV  1 before, 2 now: seconds; 3 the most articles to take; 4 ahead: seconds, later than now;
--       5, 6 the least and the greatest score of what found no room in the quarantine and is tried again
-- Returns  the ids of those last queued before `before`, oldest first, then of those after `ahead`: since they were
--          queued the clock was set back; then of those that had to wait for room
-- Cost  O(log P) an article taken, P = what is pending of the feed
-- Invariant  an article is handed to one caller only, until it is stale again
local stale = redis.call('ZRANGE', KEYS[1], '-inf', '(' .. ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[3])
if #stale < tonumber(ARGV[3]) then
  local ahead = redis.call('ZRANGE', KEYS[1], '(' .. ARGV[4], '(' .. ARGV[5], 'BYSCORE', 'LIMIT', 0, ARGV[3] - #stale)
  for _, id in ipairs(ahead) do
    stale[#stale + 1] = id
  end
end
if #stale < tonumber(ARGV[3]) then
  local held = redis.call('ZRANGE', KEYS[1], ARGV[5], ARGV[6], 'BYSCORE', 'LIMIT', 0, ARGV[3] - #stale)
  for _, id in ipairs(held) do
    stale[#stale + 1] = id
  end
end
for _, id in ipairs(stale) do
  redis.call('ZADD', KEYS[1], 'XX', ARGV[2], id)
end
return stale
