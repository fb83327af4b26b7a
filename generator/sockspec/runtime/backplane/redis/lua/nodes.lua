-- What every script of nodes and records begins with. KEYS[1]: the nodes, by the end of their leases in milliseconds:
-- 0 for one that retired, -1 for one of which something was taken away.
-- A record is the length of its node's name, a colon, that name, and its value.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)

local function lives(node)
  return (tonumber(redis.call('ZSCORE', KEYS[1], node) or 0)) > now
end

local function parted(text)
  local colon = string.find(text, ':', 1, true)
  local length = tonumber(string.sub(text, 1, colon - 1))
  return string.sub(text, colon + 1, colon + length), string.sub(text, colon + length + 1)
end

local function count(counts, node, change)
  if redis.call('HINCRBY', counts, node, change) == 0 then
    redis.call('HDEL', counts, node)
  end
end
