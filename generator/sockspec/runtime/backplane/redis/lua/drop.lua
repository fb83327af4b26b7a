-- KEYS as for placing. ARGV: node, key, the record's name.
local before = redis.call('HGET', KEYS[2], ARGV[2])
if not before or parted(before) ~= ARGV[1] then
  return 0
end
redis.call('HDEL', KEYS[2], ARGV[2])
redis.call('SREM', KEYS[4], ARGV[3])
count(KEYS[3], ARGV[1], -1)
return 1
