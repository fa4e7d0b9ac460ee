-- Renew or give back a lease that is still one's own.
-- KEYS: 1 lease
-- ARGV: 1 the fence and the name of who took it, 2 TTL in milliseconds (0: give it back)
-- Returns 1 where it was one's own, otherwise 0.  Cost: O(1).
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
else
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return 1
