-- KEYS[1]: the bucket. ARGV: how much, how much comes in a second, how much it holds.
local time = redis.call('TIME')
local now = time[1] + time[2] / 1000000
local amount, rate, burst = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
local before = redis.call('HMGET', KEYS[1], 'level', 'since')
local level = burst
if before[1] then
  level = math.min(burst, tonumber(before[1]) + math.max(0, now - tonumber(before[2])) * rate)
end
if level < amount then
  return string.format('%.17g', (amount - level) / rate)
end
level = level - amount
redis.call('HSET', KEYS[1], 'level', string.format('%.17g', level), 'since', string.format('%.17g', now))
redis.call('PEXPIRE', KEYS[1], math.ceil(math.min((burst - level) / rate, 2592000) * 1000) + 1000)
return '0'
