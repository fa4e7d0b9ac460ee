-- Change what a person set of a feed, unless it was changed meanwhile.
-- KEYS  1 feed (hash)
-- ARGV  1 packed Address as it was read, 2 the new one
-- Returns  1 changed, 0 it is another by now, or the feed was removed
-- Cost  O(1)
-- Invariant  of two changes at once neither is lost, and none brings a removed feed back
if redis.call('HGET', KEYS[1], 'address') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'address', ARGV[2])
return 1
