-- ARGV[3]: the epoch to read of. [4]: the offset to read after. [5]: how many entries at most.
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
local found = {epoch, offset}
if epoch ~= ARGV[3] or tonumber(ARGV[4]) > offset or tonumber(ARGV[5]) < 1 then
  return found
end
while true do
  local oldest = redis.call('XRANGE', KEYS[2], '-', '+', 'COUNT', 1)[1]
  if not oldest or tonumber(oldest[2][2]) > now then
    break
  end
  redis.call('XDEL', KEYS[2], oldest[1])
end
for _, entry in ipairs(redis.call('XRANGE', KEYS[2], '(' .. ARGV[4] .. '-0', '+', 'COUNT', ARGV[5])) do
  found[#found + 1] = entry[2][4]
end
return found
