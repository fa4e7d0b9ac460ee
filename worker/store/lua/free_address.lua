-- Let an address lead to a feed no more.
-- KEYS  1 moved feeds (hash)
-- ARGV  1 the id of the address, 2 the feed's
-- Returns  1 done, 0 it leads elsewhere, or nowhere
-- Cost  O(1)
-- Invariant  what leads to another feed is left as it is
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then
  return 0
end
return redis.call('HDEL', KEYS[1], ARGV[1])
