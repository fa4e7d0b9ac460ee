-- Let the id that an address would have lead to the feed that has the address.
-- KEYS  1 moved feeds (hash)
-- ARGV  1 the id of the address, 2 the feed's
-- Returns  1 done, 0 the feed itself leads to that id: they would lead to each other
-- Cost  O(H), H = how often the feed became another one
-- Invariant  following the ids always ends
local at = ARGV[2]
for _ = 1, 32 do
  if at == ARGV[1] then
    return 0
  end
  local to = redis.call('HGET', KEYS[1], at)
  if not to then
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
    return 1
  end
  at = to
end
return 0
