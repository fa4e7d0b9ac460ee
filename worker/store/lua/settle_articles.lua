-- Take articles that are clustered out of a feed's outbox.
-- KEYS  1 payloads (hash), 2 pending (zset), 3 quarantine (hash): one feed's, one hash tag
-- ARGV  two for each article: id, the revision that is settled
-- Returns  how many articles left the outbox
-- Cost  O(log P) an article, P = what is pending of the feed
-- Invariant  a payload of a newer revision than the settled one stays, and stays pending; what it supersedes in the quarantine goes
local settled = 0
local quarantined = redis.call('EXISTS', KEYS[3]) == 1
for i = 1, #ARGV, 2 do
  local payload = redis.call('HGET', KEYS[1], ARGV[i])
  -- the first four bytes of a payload are its revision, big-endian
  if not payload or #payload < 4 or struct.unpack('>I4', payload) <= tonumber(ARGV[i + 1]) then
    redis.call('HDEL', KEYS[1], ARGV[i])
    settled = settled + redis.call('ZREM', KEYS[2], ARGV[i])
  end
  local record = quarantined and redis.call('HGET', KEYS[3], ARGV[i])
  -- as do those of a record
  if record and (#record < 4 or struct.unpack('>I4', record) <= tonumber(ARGV[i + 1])) then
    redis.call('HDEL', KEYS[3], ARGV[i])
  end
end
return settled
