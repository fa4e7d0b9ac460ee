-- Keep what a poll found, if the feed is still there.
-- KEYS  1 feed (hash)
-- ARGV  1 packed PollState
-- Returns  1 kept, 0 the feed was removed
-- Cost  O(1)
-- Invariant  a feed that a person removed is not brought back by a poll that was under way
if redis.call('HEXISTS', KEYS[1], 'address') == 0 then
  return 0
end
redis.call('HSET', KEYS[1], 'polls', ARGV[1])
return 1
