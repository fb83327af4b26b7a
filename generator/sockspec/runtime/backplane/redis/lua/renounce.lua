-- ARGV[3]: the epoch that is given up. [4]: the offset that the stream was seen to stand at. Offsets are not used again.
if epoch == ARGV[3] then
  epoch, offset = ARGV[1], math.max(offset, tonumber(ARGV[4]))
  redis.call('HSET', KEYS[1], 'epoch', epoch, 'offset', string.format('%.0f', offset), 'turned', now)
  redis.call('DEL', KEYS[2], KEYS[3], KEYS[4])
end
if redis.call('PTTL', KEYS[1]) < tonumber(ARGV[2]) then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
end
return {epoch, offset}
