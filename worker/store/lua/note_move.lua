-- Note with a feed which addresses a move is about, so that it can be ended by another process.
-- KEYS  1 feed (hash)
-- ARGV  1 the ids of the addresses, with spaces between them
-- Returns  1 noted, 0 the feed was removed
-- Cost  O(1)
-- Invariant  a feed that a person removed is not brought back by a move that was under way
if redis.call('HEXISTS', KEYS[1], 'address') == 0 then
  return 0
end
redis.call('HSET', KEYS[1], 'moving', ARGV[1])
return 1
