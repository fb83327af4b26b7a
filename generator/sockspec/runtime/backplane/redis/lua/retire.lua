-- ARGV: node.
if tonumber(redis.call('ZSCORE', KEYS[1], ARGV[1]) or 0) > 0 then
  redis.call('ZADD', KEYS[1], 0, ARGV[1])
end
return 1
