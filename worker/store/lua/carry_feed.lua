-- Move what an older version keeps of a feed to where this one keeps it.
-- KEYS  1 state (hash), 2 seen (hash), 3 payloads (hash), 4 pending (zset), 5 quarantine (hash), 6 fetches (list) of the
--       older version; 7 to 12 the same of this one
-- Returns  how many articles came along that wait
-- Cost  O(1) where this version has nothing of the feed yet, else O(N), N = what is moved
-- Invariant  all of a feed moves at one moment; nothing that this version has gives way, but a payload to a newer revision

-- the first four bytes of a payload, big-endian; a damaged one is older than any
local function revision(payload)
  return #payload < 4 and -1 or struct.unpack('>I4', payload)
end

local waiting = redis.call('ZCARD', KEYS[4])
for i = 1, 6 do
  local old, new = KEYS[i], KEYS[i + 6]
  if redis.call('EXISTS', old) == 1 then
    if redis.call('EXISTS', new) == 0 then
      redis.call('RENAME', old, new)
    elseif i == 4 then
      redis.call('ZUNIONSTORE', new, 2, new, old, 'AGGREGATE', 'MIN')
    elseif i ~= 6 then
      local held = redis.call('HGETALL', old)
      for j = 1, #held, 2 do
        local there = redis.call('HGET', new, held[j])
        if not there or (i == 3 and revision(there) < revision(held[j + 1])) then
          redis.call('HSET', new, held[j], held[j + 1])
        end
      end
    end
    redis.call('UNLINK', old)
  end
end
return waiting
