-- Keep a pushed body until a poller takes it, if there is room.
-- KEYS  1 pushes (hash)
-- ARGV  1 when it came and a hash of the body, 2 packed Push ('' where the body itself cannot be kept), 3 the most bodies, 4 the TTL: seconds, 5 bytes of the hash
-- Returns  1 kept, or there already; 0 no room: the feed is to be fetched instead
-- Cost  O(1)
-- Invariant  what is not kept is not lost: the mark `fetch` stays until the feed is fetched
local kept = 0
if ARGV[2] ~= '' then
  local bodies, digest = 0, -tonumber(ARGV[5])
  for _, name in ipairs(redis.call('HKEYS', KEYS[1])) do
    if name ~= 'fetch' then
      bodies = bodies + 1
      if string.sub(name, digest) == string.sub(ARGV[1], digest) then
        kept = 1
      end
    end
  end
  if kept == 0 and bodies < tonumber(ARGV[3]) then
    redis.call('HSET', KEYS[1], ARGV[1], ARGV[2])
    kept = 1
  end
end
if kept == 0 then
  redis.call('HSET', KEYS[1], 'fetch', '1')
end
redis.call('EXPIRE', KEYS[1], ARGV[4])
return kept
