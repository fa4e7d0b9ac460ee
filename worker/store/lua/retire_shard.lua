-- Take a language's lease from the older version for good: whatever it commits from now on is refused.
-- KEYS  1 lease, 2 fence: of the older version
-- ARGV  1 what stands for the lease's owner
-- Returns  1
-- Cost  O(1)
-- Invariant  the lease never ends, so nobody of the older version gets another; a commit under way meets a newer fence,
--            or none
redis.call('SET', KEYS[1], ARGV[1])
if redis.call('EXISTS', KEYS[2]) == 1 then
  redis.call('INCR', KEYS[2])
end
return 1
