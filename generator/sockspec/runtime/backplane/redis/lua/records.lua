-- KEYS[2]: the table.
local all, found, living = redis.call('HGETALL', KEYS[2]), {}, {}
for index = 1, #all, 2 do
  local node = parted(all[index + 1])
  if living[node] == nil then
    living[node] = lives(node)
  end
  if living[node] then
    found[#found + 1] = all[index]
    found[#found + 1] = all[index + 1]
  end
end
return found
