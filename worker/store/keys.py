"""Every key of the store: one function a key, with its type, its bound and its lifetime.

Invariant: keys that one script touches share a hash tag, the language's or the feed's, so the store runs on a cluster.
Packed values are msgpack arrays of the structures in model.py.
"""

from msgspec import Struct

from worker import model

SCHEMA = model.SCHEMA
"""Version of everything below: part of every key."""


class Layout(Struct, frozen=True):
    """Another version of this layout: where it keeps what this one keeps."""

    version: int

    @property
    def prefix(self) -> str:
        """What all its keys begin with."""
        return f"sw:{self.version}:"

    def was(self, key: str) -> str:
        """The name there of a key of this version."""
        return self.prefix + key.removeprefix(Layout(SCHEMA).prefix)

    def now(self, key: str) -> str:
        """The name here of a key of that version."""
        return Layout(SCHEMA).prefix + key.removeprefix(self.prefix)


def _shard(lang: str, rest: str) -> str:
    return f"sw:{SCHEMA}:{{{lang}}}:{rest}"


def _feed(feed: str, rest: str) -> str:
    return f"sw:{SCHEMA}:{{f.{feed}}}:{rest}"


def _gate(gate: str, rest: str) -> str:
    return f"sw:{SCHEMA}:{{g.{gate}}}:{rest}"


# --- all versions -------------------------------------------------------------------------------------------------


def schema() -> str:
    """string, the version of this layout that the processes of this server use, in figures. Lifetime: forever."""
    return "sw:schema"


def identity() -> str:
    """string, 16 random bytes that name this store: ids of entries in feeds of stories are made of it. Lifetime:
    forever."""
    return "sw:identity"


# --- a language's shard -------------------------------------------------------------------------------------------


def languages() -> str:
    """set of language codes that have a shard. Bound: about 200 codes exist. Lifetime: forever."""
    return f"sw:{SCHEMA}:languages"


def lease(lang: str) -> str:
    """string, the fence of the owner that may commit, and its name: random, as numbers come again where a server lost
    its last second. Lifetime: a TTL of seconds, renewed."""
    return _shard(lang, "lease")


def fence(lang: str) -> str:
    """integer that grows with every lease: commits with an older one are refused, and so are those of any owner but the
    one in `taker`. Lifetime: forever."""
    return _shard(lang, "fence")


def counters(lang: str) -> str:
    """hash: `seq`, the last commit; `story`, the last story number; `articles`, now stored; `hand`, the last
    correction; `corrected`, the version of the corrections; `taker` and `commit`, what names the last lease and the
    last commit, so that one that is asked for again is known; `hours`, with which commit each of the last 25 hours that
    had any began (`HOUR:SEQ`). Forever."""
    return _shard(lang, "counters")


def corrections(lang: str) -> str:
    """hash: number -> packed Correction. Bound: 5,000, up to 80 article ids each. Lifetime: 90 days longer than the
    articles that they name."""
    return _shard(lang, "corrections")


def article(lang: str, uid: bytes) -> str:
    """string, a packed Member. Lifetime: removed with its story."""
    return _shard(lang, f"a:{uid.hex()}")


def story(lang: str, number: int) -> str:
    """string, a packed Story, or an Alias. Lifetime: the sweeper's after the retention; an alias 90 days more."""
    return _shard(lang, f"s:{number}")


def members(lang: str, number: int) -> str:
    """zset of article uids by event time. Bound: the story's articles. Lifetime: removed with the story."""
    return _shard(lang, f"m:{number}")


def term(lang: str, term: str) -> str:
    """string, the posting of a key term: up to 50 x (story number, weight), 5 bytes each. Emptied by the sweeper."""
    return _shard(lang, f"t:{term}")


def band(lang: str, index: int, value: bytes) -> str:
    """string, copies' fingerprints that share 16 bits: (fingerprint, uid), 16 bytes each. Emptied by the sweeper."""
    return _shard(lang, f"b:{index}:{value.hex()}")


def active(lang: str) -> str:
    """zset of story numbers by the wall clock of their last change: what retention goes by. Bound: the stories."""
    return _shard(lang, "active")


def latest(lang: str) -> str:
    """zset of story numbers by the event time of their last article: what the report goes by. Bound: the stories."""
    return _shard(lang, "latest")


def events(lang: str) -> str:
    """stream of new, grew, merged, split, and what editors did; ids are `seq-n`. Bound: about 100,000 entries, and more
    where the last 24 hours had more, up to 1,000,000. Lifetime: forever."""
    return _shard(lang, "events")


# --- all languages ------------------------------------------------------------------------------------------------


def forgotten() -> str:
    """zset of 8-byte hashes of article ids, addresses and feeds that a person had forgotten, by when that was or when
    they last came again. Bound: the newest 1,000,000. Lifetime: 90 days each."""
    return f"sw:{SCHEMA}:forgotten"


def webs() -> str:
    """set of the names of web processes that may be alive. Bound: those that run, and those that ended since the last
    start."""
    return f"sw:{SCHEMA}:webs"


def web(name: str) -> str:
    """string, a packed Sign of life. Lifetime: a TTL of seconds, renewed."""
    return f"sw:{SCHEMA}:web:{name}"


def lags() -> str:
    """list, newest first, of packed Lags: how long a batch's articles took from fetch to story. Bound: 100. Lifetime: a
    TTL of an hour."""
    return f"sw:{SCHEMA}:lags"


def pollers() -> str:
    """set of the names of pollers that may be alive. Bound: those that run, and those that ended since the last
    start."""
    return f"sw:{SCHEMA}:pollers"


def poller(name: str) -> str:
    """string, a packed Sign of life. Lifetime: a TTL of seconds, renewed."""
    return f"sw:{SCHEMA}:poller:{name}"


def pages() -> str:
    """zset of articles whose pages are to be read (`UNTIL FEED ARTICLE`), by when; a leased one stands at the end of
    its lease. Bound: 20,000. Lifetime: removed when its page is read, or can no longer be in time."""
    return f"sw:{SCHEMA}:pages"


def page_readers() -> str:
    """string: processes that read pages live. Lifetime: a TTL of seconds, renewed."""
    return f"sw:{SCHEMA}:page-readers"


def page_trouble() -> str:
    """string: why a process that lives cannot read pages. Lifetime: a TTL of seconds, renewed."""
    return f"sw:{SCHEMA}:page-trouble"


def page_reads() -> str:
    """list, newest first, of why a page's text was not taken, empty where it was. Bound: 100. Lifetime: a TTL of an
    hour."""
    return f"sw:{SCHEMA}:page-reads"


def subscriptions() -> str:
    """zset of feed ids by when their subscription at their hub is to be looked at. Bound: the feeds that have a hub.
    Lifetime: until the feed has none, or is removed."""
    return f"sw:{SCHEMA}:subscriptions"


def listeners() -> str:
    """string: processes that listen to hubs live. Lifetime: a TTL of seconds, renewed."""
    return f"sw:{SCHEMA}:listeners"


def claim(page: bytes) -> str:
    """string, a packed Claim: which article a page is, by a hash of its canonical address. Bound: one an article.
    Lifetime: a TTL of the retention."""
    return f"sw:{SCHEMA}:claim:{page.hex()}"


# --- alerts -------------------------------------------------------------------------------------------------------


def alerts() -> str:
    """hash: `position`, the cursor up to which events were looked through; `since:RULE`, since when a rule is there,
    with a hash of what it is about. Bound: the rules of the file, 200. Lifetime: forever."""
    return f"sw:{SCHEMA}:{{alerts}}:state"


def alerts_holder() -> str:
    """string, the process that looks through the events. Lifetime: a TTL of seconds, renewed."""
    return f"sw:{SCHEMA}:{{alerts}}:holder"


def alerts_told() -> str:
    """zset of rule and story that were told of (`RULE`, a zero byte, the story's id), by when they were last met.
    Bound: 100,000, the oldest leave first. Lifetime: 120 days each."""
    return f"sw:{SCHEMA}:{{alerts}}:told"


def alerts_queue() -> str:
    """zset of ids of deliveries by when they are due; a leased one stands at the end of its lease. Bound: 10,000.
    Lifetime: until it was taken, or is a day old."""
    return f"sw:{SCHEMA}:{{alerts}}:queue"


def alerts_waiting() -> str:
    """hash: id -> packed Delivery, which holds nothing of an article. Bound: 10,000. Lifetime: that of its id in the
    queue."""
    return f"sw:{SCHEMA}:{{alerts}}:waiting"


def alerts_dead() -> str:
    """list, newest first, of packed Deliveries that nobody took within a day. Bound: 1,000. Lifetime: until a person
    drops them."""
    return f"sw:{SCHEMA}:{{alerts}}:dead"


# --- a feed -------------------------------------------------------------------------------------------------------


def schedule() -> str:
    """zset of feed ids by their next poll; a leased feed stands at the end of its lease. Bound: the feeds."""
    return f"sw:{SCHEMA}:schedule"


def removed_feeds() -> str:
    """set of feed ids that a person removed: an OPML does not bring them back. Bound: the feeds ever known."""
    return f"sw:{SCHEMA}:removed-feeds"


def moved_feeds() -> str:
    """hash: the id that an address would have -> the id of the feed that has it, where that is another. Bound: the
    feeds that ever moved. Lifetime: forever."""
    return f"sw:{SCHEMA}:moved-feeds"


def outboxes() -> str:
    """zset of feed ids that may have something pending, by when they last got some. Bound: the feeds."""
    return f"sw:{SCHEMA}:outboxes"


def quarantines() -> str:
    """zset of feed ids that may have something in quarantine, by when they last got some. Bound: the feeds."""
    return f"sw:{SCHEMA}:quarantines"


def feed(feed: str) -> str:
    """hash: `address`, a packed Address; `polls`, a packed PollState. Lifetime: until the feed is removed."""
    return _feed(feed, "state")


def fetches(feed: str) -> str:
    """list, newest first, of packed Fetch: its last polls. Bound: 30. Lifetime: until the feed is removed."""
    return _feed(feed, "fetches")


def subscription(feed: str) -> str:
    """hash: `sub`, a packed Subscription at the feed's hub; counters of what was pushed. Bound: one a feed. Lifetime:
    until the feed has no hub; a TTL of 60 days after the last question to it."""
    return _feed(feed, "subscription")


def pushes(feed: str) -> str:
    """hash: hash of a body -> packed Push, `fetch` where the feed is to be fetched besides. Bound: 3 bodies of 5 MB.
    Lifetime: until a poller has published it; a TTL of a day."""
    return _feed(feed, "pushes")


def seen(feed: str) -> str:
    """hash: entry -> packed Seen. Bound: what the feed shows, and what it showed within twice the
    retention: 10,000 in all, or twice STORYWIRE_MAX_DAILY if that is more, those shown longest ago leaving first.

    Lifetime: the feed's, and a TTL of twice the retention after its removal: added again, its articles go on.
    """
    return _feed(feed, "seen")


def payloads(feed: str) -> str:
    """hash: article id -> packed Article that waits to be clustered. Removed when it is settled."""
    return _feed(feed, "payloads")


def pending(feed: str) -> str:
    """zset of article ids by when they were last queued. Removed when they are settled."""
    return _feed(feed, "pending")


def quarantine(feed: str) -> str:
    """hash: article id -> packed Quarantined, the payload in it. Bound: 1,000 a feed, about 10,000 in all.

    Lifetime: until a person retries or drops it, or a newer revision of it is settled.
    """
    return _feed(feed, "quarantine")


def trials(feed: str) -> str:
    """hash: worker and hash of an article id -> whether, and with which payload, it had that alone. Bound: what workers
    have in hand, and what dead ones had. Lifetime: removed when the article is done; a TTL of a day after the last
    start."""
    return _feed(feed, "trials")


# --- a gate: a host, or what STORYWIRE_GATE says ------------------------------------------------------------------


def gate(gate: str) -> str:
    """hash: `last`, when somebody last began to ask; `next`, the first turn that is free, and `pages`, for a page;
    `closed`, until when nobody may (Retry-After), and `crawl`, no page (Crawl-delay); `hold`, how long a visit takes:
    seconds. Lifetime: a TTL of an hour after the last turn."""
    return _gate(gate, "gate")


def visitors(gate: str) -> str:
    """zset of the visits there now, by when their place is free again if they died. Bound: STORYWIRE_GATE_PARALLEL.
    Lifetime: a TTL a little longer than a fetch may take."""
    return _gate(gate, "visitors")


def turns(gate: str) -> str:
    """zset of who waits there (feeds, articles), by their turn. Bound: what is asked for there. Lifetime: until the
    turn is taken, and a day if nobody comes; a TTL of an hour after the last turn."""
    return _gate(gate, "turns")
