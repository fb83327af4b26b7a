-- What every script of a stream begins with: its epoch and where it stands.
-- KEYS: what is known of the stream, its log, the ids of late, and those of the time before.
-- ARGV[1]: an epoch, should it begin with this. ARGV[2]: how long it is known for at least, in milliseconds.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HMGET', KEYS[1], 'epoch', 'offset', 'turned')
local epoch, offset = known[1], tonumber(known[2])
if not epoch then
  epoch, offset = ARGV[1], 0
  redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'offset', 0, 'turned', now)
end
