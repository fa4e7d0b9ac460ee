-- End the carrying over of a language: its counters, which say that it was moved whole, go last.
-- KEYS  1 fence, 2 counters; 3 fence, 4 counters of the older version
-- ARGV  1 the fencing number of whoever carries it over
-- Returns  1; 0 where another process holds the lease by now: then nothing was written
-- Cost  O(1)
-- Invariant  counters that this version has committed with are never set back
if redis.call('GET', KEYS[1]) ~= ARGV[1] then
  return 0
end
if redis.call('HEXISTS', KEYS[2], 'seq') == 0 then
  local counted = redis.call('HGETALL', KEYS[4])
  for i = 1, #counted, 2 do
    redis.call('HSET', KEYS[2], counted[i], counted[i + 1])
  end
end
redis.call('UNLINK', KEYS[3], KEYS[4])
return 1
