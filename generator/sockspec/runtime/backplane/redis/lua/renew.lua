-- KEYS[2]: which life of everything this is. ARGV: node, lease in milliseconds, a new life.
redis.call('SET', KEYS[2], ARGV[3], 'NX')
local before = tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or -1)
redis.call('ZADD', KEYS[1], now + tonumber(ARGV[2]), ARGV[1])
local alive, dead = {}, {}
local nodes = redis.call('ZRANGE', KEYS[1], 0, -1, 'WITHSCORES')
for index = 1, #nodes, 2 do
  local group = tonumber(nodes[index + 1]) > now and alive or dead
  group[#group + 1] = nodes[index]
end
return {redis.call('GET', KEYS[2]), before >= 0 and 1 or 0, alive, dead}
