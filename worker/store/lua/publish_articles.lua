-- Publish new and revised articles of one feed, each at most once.
-- KEYS  1 payloads (hash), 2 pending (zset), 3 seen (hash): one feed's, one hash tag
-- ARGV  1 now, in seconds, a little apart in each call; then five for each entry: article id, payload, entry, expected seen mark, new seen mark
--       payload "": only the mark is changed; entry "": no mark is kept; new mark "": the mark is forgotten
-- Returns  a list of 1 (done) and 0 (the stored mark is not the expected one: another poller was first), one an entry;
--          1 too for what has this very mark and time: the call comes again, as its answer was lost on the way
-- Cost  O(log P) an entry, P = what is pending of the feed
-- Invariant  payload, pending mark and seen mark change together or not at all; no payload gives way to an older revision
local done = {}
for i = 2, #ARGV, 5 do
  local id, payload, entry, expected, mark = ARGV[i], ARGV[i + 1], ARGV[i + 2], ARGV[i + 3], ARGV[i + 4]
  local stored = entry ~= '' and redis.call('HGET', KEYS[3], entry) or ''
  local first = entry == '' or stored == expected
  if first then
    if payload ~= '' then
      local waiting = redis.call('HGET', KEYS[1], id)
      -- the first four bytes of a payload are its revision, big-endian
      if not waiting or #waiting < 4 or struct.unpack('>I4', waiting) <= struct.unpack('>I4', payload) then
        redis.call('HSET', KEYS[1], id, payload)
      end
      redis.call('ZADD', KEYS[2], ARGV[1], id)
    end
    if entry ~= '' then
      if mark == '' then
        redis.call('HDEL', KEYS[3], entry)
      else
        redis.call('HSET', KEYS[3], entry, mark)
      end
    end
  end
  local again = not first and payload ~= '' and stored == mark and tonumber(redis.call('ZSCORE', KEYS[2], id) or 0) == tonumber(ARGV[1])
  done[#done + 1] = (first or again) and 1 or 0
end
return done
