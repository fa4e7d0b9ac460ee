-- Write a sign of life, or put a name among those that give signs.
-- KEYS  1 the sign (string), or the list of names (set)
-- ARGV  1 the packed sign, or the name; 2 how many seconds the sign lasts, 0 for a name
-- Returns  nothing
-- Cost  O(1)
-- Invariant  run where maxmemory is reached too: who is told alive by his signs must not die of a full server
if ARGV[2] == '0' then
  redis.call('SADD', KEYS[1], ARGV[1])
else
  redis.call('SET', KEYS[1], ARGV[1], 'EX', ARGV[2])
end
