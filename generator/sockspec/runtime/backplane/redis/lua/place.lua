-- KEYS[2]: the table. [3]: how many records in it each node has. [4]: which records the node has.
-- ARGV: node, key, record, the record's name for [4], how many there may be or nothing, what keys like [4] begin with.
local node, key, name, most = ARGV[1], ARGV[2], ARGV[4], tonumber(ARGV[5])
if not redis.call('ZSCORE', KEYS[1], node) then
  return 'unregistered'
end
local before = redis.call('HGET', KEYS[2], key)
local former = before and parted(before)
if most and not (former and lives(former)) then
  local counts, living = redis.call('HGETALL', KEYS[3]), 0
  for index = 1, #counts, 2 do
    if lives(counts[index]) then
      living = living + tonumber(counts[index + 1])
    end
  end
  if living >= most then
    return 'full'
  end
end
redis.call('HSET', KEYS[2], key, ARGV[3])
if former ~= node then
  redis.call('SADD', KEYS[4], name)
  count(KEYS[3], node, 1)
  if former then
    redis.call('SREM', ARGV[6] .. former, name)
    count(KEYS[3], former, -1)
  end
end
return before and 'known' or 'new'
