-- Change what is known of a feed's subscription, unless it was changed meanwhile.
-- KEYS  1 subscription (hash)
-- ARGV  1 packed Subscription as it was read ('' for none), 2 the new one ('' to forget all of it), 3 its TTL: seconds
-- Returns  1 changed, 0 it is another by now
-- Cost  O(1)
-- Invariant  of a hub's confirmation and a question to it at once neither is lost
if (redis.call('HGET', KEYS[1], 'sub') or '') ~= ARGV[1] then
  return 0
end
if ARGV[2] == '' then
  redis.call('DEL', KEYS[1])
else
  redis.call('HSET', KEYS[1], 'sub', ARGV[2])
  redis.call('EXPIRE', KEYS[1], ARGV[3])
end
return 1
