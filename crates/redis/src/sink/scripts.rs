//! What Redis runs for a batch, inside of one MULTI/EXEC: [`OPEN`], [`CHECK`] and [`APPLY`] as often as there is something
//! to check or to write, and [`CLOSE`]. KEYS\[1\] is always the mark, which says that the batch is to be written; it counts
//! the calls of `APPLY` and is there within the EXEC alone.

/// Compares the ledger, KEYS\[2\], with the batch time, ARGV\[1\], and with what it must at least be, ARGV\[2\] or nothing.
/// From ARGV\[3\] on there are the commands that the user must be allowed. Answers `open` or `done`, and the ledger.
pub(crate) const OPEN: &str = "\
redis.call('DEL', KEYS[1])
local stored = redis.call('GET', KEYS[2])
local newest = stored and tonumber(stored)
if stored and not newest then return redis.error_reply('HEADWATERLEDGER ' .. stored) end
if ARGV[2] ~= '' and (not newest or newest < tonumber(ARGV[2])) then
  return redis.error_reply('HEADWATERLOST ' .. (stored or 'nothing'))
end
if newest and newest >= tonumber(ARGV[1]) then return {'done', stored} end
for i = 3, #ARGV do
  if redis.acl_check_cmd and not redis.acl_check_cmd(ARGV[i], KEYS[1], '*', 'f', 'v') then
    return redis.error_reply('NOPERM the user may not run ' .. ARGV[i])
  end
end
redis.call('SET', KEYS[1], 0)
return {'open', stored or ''}";

/// Takes the mark away if one of the other keys is there and not of the type in ARGV; answers that key and its type.
pub(crate) const CHECK: &str = "\
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
for i = 2, #KEYS do
  local found = redis.call('TYPE', KEYS[i]).ok
  if found ~= 'none' and found ~= ARGV[i - 1] then
    redis.call('DEL', KEYS[1])
    return {KEYS[i], found, ARGV[i - 1]}
  end
end
return 1";

/// Runs a command for each of the other keys, if there is a mark.
pub(crate) const APPLY: &str = "\
if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
local at = 1
for i = 2, #KEYS do
  local count = tonumber(ARGV[at + 1])
  redis.call(ARGV[at], KEYS[i], unpack(ARGV, at + 2, at + 1 + count))
  at = at + 2 + count
end
return redis.call('INCR', KEYS[1])";

/// Takes the mark away and, if all calls of `APPLY`, ARGV\[2\], have counted, sets the ledger, KEYS\[2\], to ARGV\[1\].
pub(crate) const CLOSE: &str = "\
local applied = redis.call('GET', KEYS[1])
if not applied then return 0 end
redis.call('DEL', KEYS[1])
if applied ~= ARGV[2] then return redis.error_reply('HEADWATERPARTLY ' .. applied) end
redis.call('SET', KEYS[2], ARGV[1])
return 1";

/// Takes nothing away and adds nothing, but is refused where nothing may be written. Answers the ledger, KEYS\[2\].
pub(crate) const RECOVER: &str = "\
redis.call('DEL', KEYS[1])
return redis.call('GET', KEYS[2])";
