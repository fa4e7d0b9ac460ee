-- Take articles that are clustered out of a feed's outbox.
-- KEYS  1 payloads (hash), 2 pending (zset): one feed's, one hash tag
-- ARGV  two for each article: id, the revision that is settled
-- Returns  how many articles left the outbox
-- Cost  O(log P) an article, P = what is pending of the feed
-- Invariant  a payload of a newer revision than the settled one stays, and stays pending
local settled = 0
for i = 1, #ARGV, 2 do
  local payload = redis.call('HGET', KEYS[1], ARGV[i])
  -- the first four bytes of a payload are its revision, big-endian
  if not payload or struct.unpack('>I4', payload) <= tonumber(ARGV[i + 1]) then
    redis.call('HDEL', KEYS[1], ARGV[i])
    settled = settled + redis.call('ZREM', KEYS[2], ARGV[i])
  end
end
return settled
