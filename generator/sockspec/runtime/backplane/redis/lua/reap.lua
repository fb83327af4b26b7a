-- KEYS[2]: which records the node has. ARGV: node, how many at most, what the keys of tables and of counts begin with.
local node, found = ARGV[1], {}
if lives(node) then
  return found
end
local names = redis.call('SPOP', KEYS[2], ARGV[2])
if #names == 0 then
  redis.call('ZREM', KEYS[1], node)
  return found
end
redis.call('ZADD', KEYS[1], 'XX', -1, node)
for _, name in ipairs(names) do
  local place, key = parted(name)
  found[#found + 1] = name
  found[#found + 1] = redis.call('HGET', ARGV[3] .. place, key)
  redis.call('HDEL', ARGV[3] .. place, key)
  count(ARGV[4] .. place, node, -1)
end
return found
