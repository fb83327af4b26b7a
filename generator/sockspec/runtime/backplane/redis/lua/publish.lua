-- ARGV[3]: id. [4]: data. [5]: how many entries are kept. [6]: for how many milliseconds. [7]: the channel.
local id, keeping = ARGV[3], tonumber(ARGV[6])
local known_for = math.max(tonumber(ARGV[2]), keeping, 60000)
local before = redis.call('HGET', KEYS[3], id) or redis.call('HGET', KEYS[4], id)
if before then
  -- Something is written in any case, as WAIT waits for what its own connection wrote.
  redis.call('PEXPIRE', KEYS[1], known_for)
  return {epoch, tonumber(before)}
end
offset = redis.call('HINCRBY', KEYS[1], 'offset', 1)
redis.call('PEXPIRE', KEYS[1], known_for)
if now - (tonumber(known[3]) or now) >= 60000 then
  if redis.call('EXISTS', KEYS[3]) == 1 then
    redis.call('RENAME', KEYS[3], KEYS[4])
  else
    redis.call('DEL', KEYS[4])
  end
  redis.call('HSET', KEYS[1], 'turned', now)
end
local at = string.format('%.0f', offset)
local entry = table.concat({epoch, ' ', at, ' ', #id, ' ', id, ARGV[4]})
if ARGV[5] == '0' then
  redis.call('DEL', KEYS[2])
else
  redis.call('XADD', KEYS[2], 'MAXLEN', ARGV[5], at .. '-0', 'until', now + keeping, 'entry', entry)
  redis.call('PEXPIRE', KEYS[2], keeping)
end
redis.call('HSET', KEYS[3], id, at)
redis.call('PEXPIRE', KEYS[3], 120000)
redis.call('PUBLISH', ARGV[7], entry)
return {epoch, offset}
