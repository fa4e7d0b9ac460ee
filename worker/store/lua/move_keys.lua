-- Give keys of one shard new names.
-- KEYS  the old names, then as many new ones, in the same order
-- Returns  how many were there to be renamed
-- Cost  O(1) a key
-- Invariant  what a new name holds already is left, and so is what would take its place
local count = #KEYS / 2
local moved = 0
for i = 1, count do
  if redis.call('EXISTS', KEYS[i]) == 1 then
    moved = moved + redis.call('RENAMENX', KEYS[i], KEYS[i + count])
  end
end
return moved
