-- Lease the articles whose pages are due: they are due again when the lease runs out.
-- KEYS  1 pages (zset)
-- ARGV  1 now, 2 the end of the lease: seconds; 3 the most to lease
-- Returns  the members, the longest due first
-- Cost  O(log N) a member, N = the articles that wait for their page
-- Invariant  of any number of processes one gets a page, and nobody else until the lease ends
local due = redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE', 'LIMIT', 0, ARGV[3])
for _, member in ipairs(due) do
  redis.call('ZADD', KEYS[1], 'XX', ARGV[2], member)
end
return due
