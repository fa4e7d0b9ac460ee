-- Ask to be let in at a gate: now, or at a turn of one's own.
-- KEYS  1 gate (hash), 2 visitors (zset), 3 turns (zset)
-- ARGV  1 who asks, 2 now, "" for the server's clock; 3 the least time between starts, 4 the most visitors at once,
--       5 how long a visitor's place is kept, 6 how long who asks is ready to wait on the spot, a minute at
--       most: seconds; 7 which question this is, something that is never said again: the visit's name, if it is let in;
--       8 "page" for a page, which goes behind all feeds; 9 the least time from its start to that of the next page;
--       10 how far ahead its start has to be, for one that would miss it otherwise, 11 a visit that missed its start and
--       is given up, or ""
-- Returns  {1, seconds to the start, ''}, or {0, seconds to the turn, why: 'spacing', 'full', 'crawl' or 'closed'}
-- Cost  O(log W), W = who waits at this gate: whoever asks too early is told one turn, which nobody else gets
-- Invariant  starts are at least the spacing apart, and no more than the most are inside, whoever asks from wherever,
--            be it the same twice; turns are given in the order of asking, those of pages behind all of feeds; a page
--            leaves a place for a feed where there are two; a turn outlasts who holds it by a day at most
local who, spacing, most = ARGV[1], tonumber(ARGV[3]), tonumber(ARGV[4])
local keep, ready = tonumber(ARGV[5]), tonumber(ARGV[6])
local page, delay, lead = ARGV[8] == 'page', tonumber(ARGV[9]), tonumber(ARGV[10])
local now = tonumber(ARGV[2])
if not now then
  local time = redis.call('TIME')
  now = tonumber(time[1]) + tonumber(time[2]) / 1e6
end
local kept = redis.call('ZSCORE', KEYS[2], ARGV[7])
if kept then -- let in already: the answer was lost on the way
  return {1, string.format('%.6f', math.max(tonumber(kept) - keep - now, 0)), ''}
end
local said = redis.call('HMGET', KEYS[1], 'last', 'next', 'closed', 'hold', 'pages', 'crawl')
local last, nextfree = tonumber(said[1] or '-inf'), tonumber(said[2] or '-inf')
local closed, hold = tonumber(said[3] or '-inf'), tonumber(said[4] or '0')
local pages, crawl = tonumber(said[5] or '-inf'), tonumber(said[6] or '-inf')
if last > now + 60 then -- nobody starts so far ahead: the clock was set back
  last, nextfree, closed, pages, crawl = now, now, now, now, now
  redis.call('DEL', KEYS[2], KEYS[3])
  redis.call('HSET', KEYS[1], 'last', string.format('%.6f', now))
  redis.call('HDEL', KEYS[1], 'next', 'closed', 'pages', 'crawl')
end
local missed = tonumber(redis.call('ZSCORE', KEYS[2], ARGV[11]) or nil)
if missed then
  redis.call('ZREM', KEYS[2], ARGV[11])
  if math.abs(missed - keep - last) < 0.001 then -- nobody came at the last start that was given
    last = last - spacing
  end
end
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now)
local inside = redis.call('ZCARD', KEYS[2])
local places = page and math.max(most - 1, 1) or most
local pace = spacing
if inside + 1 >= places then -- turns as far apart as visits take, or who has one would find the gate full
  pace = math.max(spacing, math.min(hold, keep) / places)
end
local wait = math.max(pace, 0.1)
local field, free, soonest = 'next', nextfree, math.max(last + spacing, now + lead)
if page then -- after every turn that a feed was told
  field, free, soonest, pace = 'pages', pages, math.max(soonest, nextfree, crawl), math.max(pace, delay)
end
local turn = tonumber(redis.call('ZSCORE', KEYS[3], who) or nil)
local start = math.max(turn or free, soonest)
local answer
if closed <= start and inside < places and start - now <= ready + lead then
  free = math.max(free, start + pace)
  redis.call('HSET', KEYS[1], 'last', string.format('%.6f', start), field, string.format('%.6f', free))
  if page and delay > 0 then
    crawl = math.max(crawl, start + delay)
    redis.call('HSET', KEYS[1], 'crawl', string.format('%.6f', crawl))
  end
  redis.call('ZREM', KEYS[3], who)
  redis.call('ZADD', KEYS[2], string.format('%.6f', start + keep), ARGV[7])
  redis.call('EXPIRE', KEYS[2], math.ceil(start - now + keep) + 1)
  answer = {1, start - now, ''}
else
  if not turn or turn <= now or turn < closed then
    -- one that found its turn taken from it waits behind all that were told theirs
    turn = math.max(free, closed, soonest, now + wait)
    free = turn + pace
    redis.call('HSET', KEYS[1], field, string.format('%.6f', free))
    redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - 86400)
    redis.call('ZADD', KEYS[3], string.format('%.6f', turn), who)
  end
  local why = page and crawl > now and 'crawl' or inside < places and 'spacing' or 'full'
  answer = {0, turn - now, closed > now and 'closed' or why}
end
answer[2] = string.format('%.6f', math.max(answer[2], 0))
local ttl = math.ceil(math.max(nextfree, free, closed, pages, crawl, now) - now) + 3600
redis.call('EXPIRE', KEYS[1], ttl)
redis.call('EXPIRE', KEYS[3], ttl)
return answer
