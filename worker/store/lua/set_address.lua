-- Change what a person set of a feed, unless it was changed meanwhile.
-- KEYS  1 feed (hash), 2 moved feeds (hash)
-- ARGV  1 packed Address as it was read, 2 the new one, 3 the feed's id, 4 the id of an address that it has no more, or ''
-- Returns  1 changed, 0 it is another by now, or the feed was removed
-- Cost  O(1)
-- Invariant  an address leads to the feed for as long as the feed has it; of two changes at once neither is lost, and none brings a removed feed back
if redis.call('HGET', KEYS[1], 'address') ~= ARGV[1] then
  return 0
end
redis.call('HSET', KEYS[1], 'address', ARGV[2])
if ARGV[4] ~= '' and redis.call('HGET', KEYS[2], ARGV[4]) == ARGV[3] then
  redis.call('HDEL', KEYS[2], ARGV[4])
end
return 1
