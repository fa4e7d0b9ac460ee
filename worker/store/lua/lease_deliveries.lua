-- Lease deliveries that are due, of each target as many as it has room for: they are due again when the lease runs out.
-- KEYS  1 queue (zset)
-- ARGV  1 now, 2 the end of the lease: seconds; 3 the most deliveries to lease; then places (the first 8 characters of a delivery's id) with
--       the room of each; a place that is not named has room for 1
-- Returns  the ids, the longest due first
-- Cost  O(D + log N a delivery leased), N = the deliveries, D = those that are due, 10,000 at most: 4 ms where all of them wait for one target
-- Invariant  of any number of processes one gets a delivery, and nobody else until the lease ends; whatever waits for a target without room
--            is passed by, and holds up nothing
local room, taken, most = {}, {}, tonumber(ARGV[3])
for i = 4, #ARGV, 2 do
  room[ARGV[i]] = tonumber(ARGV[i + 1])
end
for _, id in ipairs(redis.call('ZRANGE', KEYS[1], '-inf', ARGV[1], 'BYSCORE')) do
  if #taken >= most then
    break
  end
  local place = string.sub(id, 1, 8)
  local left = room[place] or 1
  if left > 0 then
    room[place] = left - 1
    redis.call('ZADD', KEYS[1], 'XX', ARGV[2], id)
    taken[#taken + 1] = id
  end
end
return taken
