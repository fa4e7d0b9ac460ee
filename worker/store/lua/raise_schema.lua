-- Write down which version of the layout the processes of this server use; it only ever grows.
-- KEYS  1 schema
-- ARGV  1 the version
-- Returns  the version that stands there now; 0 for what is no figure
-- Cost  O(1)
-- Invariant  a process that was started before an upgrade does not undo it
local found = redis.call('GET', KEYS[1])
if found and (not tonumber(found) or tonumber(found) >= tonumber(ARGV[1])) then
  return tonumber(found) or 0
end
redis.call('SET', KEYS[1], ARGV[1])
return tonumber(ARGV[1])
