-- What every script of a stream begins with: its epoch and where it stands.
-- KEYS: what is known of the stream, its log, the ids of late, and those of the time before.
-- ARGV[1]: an epoch, should it begin with this. ARGV[2]: how long it is known for at least, in milliseconds.
-- The first thing that a script writes needs memory, for an engine that has none left refuses only that.
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local known = redis.call('HMGET', KEYS[1], 'epoch', 'offset', 'turned')
local epoch, offset = known[1], tonumber(known[2])
if not epoch then
  epoch, offset = ARGV[1], 0
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'offset', 0, 'turned', now)
  redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
end
