-- Keep what a poll found, if the feed is still there, and a line of its history.
-- KEYS  1 feed (hash), 2 fetches (list)
-- ARGV  1 packed PollState; 2 packed Fetch, or '' for none; 3 how many lines of history are kept
-- Returns  1 kept, 0 the feed was removed
-- Cost  O(1)
-- Invariant  a feed that a person removed is not brought back by a poll that was under way
if redis.call('HEXISTS', KEYS[1], 'address') == 0 then
  return 0
end
redis.call('HSET', KEYS[1], 'polls', ARGV[1])
if ARGV[2] ~= '' then
  redis.call('LPUSH', KEYS[2], ARGV[2])
  redis.call('LTRIM', KEYS[2], 0, ARGV[3] - 1)
end
return 1
