-- Write all that a batch changed, or nothing.
-- KEYS: 1 fence, 2 counters, 3 active, 4 latest, 5 events, 6 corrections; then as many as the plan says: keys to set, keys to delete,
--       member lists (joins, leaves, merges name them by their place among these), keys to let expire.
-- ARGV: 1 the fence and the name of who took it, 2 the last commit the batch was decided on, 3 what names this commit and no other, 4 the plan
--       (msgpack), then the values to set, then the bytes (uids, events) that the plan names by their place.
-- Returns 1; 0 where the fence has moved on, another one took it (the server lost its last second, and with it this
--         lease), or somebody else committed: then nothing was written. A commit that comes
--         again, as the answer was lost on the way, is answered again and not written again, but for its name: who waits
--         for the replicas then (WAIT) waits for a write of its own connection, and would wait for nothing else.
-- Cost: O(keys). Invariant: commits of one language have one total order.
local last = redis.call('HMGET', KEYS[2], 'commit', 'taker', 'seq')
if last[1] == ARGV[3] then
  redis.call('HSET', KEYS[2], 'commit', ARGV[3])
  return 1
end
if redis.call('GET', KEYS[1]) ~= ARGV[1]:match('^%d+') or last[2] ~= ARGV[1] or (last[3] or '0') ~= ARGV[2] then
  return 0
end
local plan = cmsgpack.unpack(ARGV[4])
local key = 6
local blob = 4 + plan.sets
for i = 1, plan.sets do
  redis.call('SET', KEYS[key + i], ARGV[4 + i])
end
key = key + plan.sets
for i = 1, plan.deletes do
  redis.call('UNLINK', KEYS[key + i])
end
key = key + plan.deletes
for _, step in ipairs(plan.members) do
  if step[1] == 'join' then
    redis.call('ZADD', KEYS[key + step[2]], step[4], ARGV[blob + step[3]])
  elseif step[1] == 'leave' then
    redis.call('ZREM', KEYS[key + step[2]], ARGV[blob + step[3]])
  else
    redis.call('ZUNIONSTORE', KEYS[key + step[3]], 2, KEYS[key + step[3]], KEYS[key + step[2]])
    redis.call('UNLINK', KEYS[key + step[2]])
  end
end
key = key + plan.lists
for i = 1, plan.ends do
  redis.call('EXPIRE', KEYS[key + i], plan.alias_ttl_s)
end
for _, story in ipairs(plan.indexed) do
  redis.call('ZADD', KEYS[3], story[2], story[1])
  redis.call('ZADD', KEYS[4], story[3], story[1])
end
for _, number in ipairs(plan.unindexed) do
  redis.call('ZREM', KEYS[3], number)
  redis.call('ZREM', KEYS[4], number)
end
redis.call('HSET', KEYS[2], 'seq', plan.seq, 'story', plan.made, 'commit', ARGV[3])
redis.call('HINCRBY', KEYS[2], 'articles', plan.articles)
if #plan.corrections > 0 then
  redis.call('HSET', KEYS[2], 'hand', plan.hand)
end
-- The version of the corrections is a hash of all that ever changed them: two histories, one of them lost with the
-- server's last second, never have the same one.
for _, correction in ipairs(plan.corrections) do
  local said = correction[2] and ARGV[blob + correction[2]] or ''
  local before = redis.call('HGET', KEYS[2], 'corrected') or ''
  redis.call('HSET', KEYS[2], 'corrected', redis.sha1hex(before .. ' ' .. correction[1] .. ' ' .. said))
  if correction[2] then
    redis.call('HSET', KEYS[6], correction[1], said)
  else
    redis.call('HDEL', KEYS[6], correction[1])
  end
end
for _, event in ipairs(plan.events) do
  redis.call('XADD', KEYS[5], event[1], 'e', ARGV[blob + event[2]])
end
if #plan.events == 0 then
  return 1
end
-- The ids of events are no times, so `hours` says with which commit each of the last 25 hours began, by the server's
-- clock; what was there before the first of them counts as of that hour.
local hour = math.floor(redis.call('TIME')[1] / 3600)
local said = redis.call('HGET', KEYS[2], 'hours') or ''
if not said:match(hour .. ':%d+$') then
  local hours = {}
  for began, seq in said:gmatch('(%d+):(%d+)') do
    if tonumber(began) >= hour - 24 and tonumber(began) < hour then
      hours[#hours + 1] = began .. ':' .. seq
    end
  end
  hours[#hours + 1] = hour .. ':' .. (said == '' and '0' or plan.events[1][1]:match('^%d+'))
  said = table.concat(hours, ' ')
  redis.call('HSET', KEYS[2], 'hours', said)
end
if redis.call('XLEN', KEYS[5]) > plan.events_kept then
  redis.call('XTRIM', KEYS[5], 'MINID', '~', said:match(':(%d+)'))
  redis.call('XTRIM', KEYS[5], 'MAXLEN', '~', plan.events_most)
end
return 1
