-- Take feeds with nothing pending off the list of outboxes.
-- KEYS  1 outboxes (zset)
-- ARGV  1 before, in seconds; then the feeds that were found empty
-- Returns  how many were taken off
-- Cost  O(log F) a feed, F = the outboxes listed
-- Invariant  a feed that was listed again since `before` stays: its publisher may be about to write
local removed = 0
for i = 2, #ARGV do
  local listed = redis.call('ZSCORE', KEYS[1], ARGV[i])
  if listed and tonumber(listed) < tonumber(ARGV[1]) then
    removed = removed + redis.call('ZREM', KEYS[1], ARGV[i])
  end
end
return removed
