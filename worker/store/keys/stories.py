"""Stories: a shard for each language, and what is asked for of all of them.

Invariant: what one commit writes has one tag, its language's.
"""

from worker.store.keys import naming


def languages() -> str:
    """set of language codes that have a shard. Bound: about 200 codes exist. Lifetime: forever."""
    return naming.plain("languages")


def lease(lang: str) -> str:
    """string, the fence of the owner that may commit, and its name: random, as numbers come again where a server lost
    its last second. Lifetime: a TTL of seconds, renewed."""
    return naming.tagged(lang, "lease")


def fence(lang: str) -> str:
    """integer that grows with every lease: commits with an older one are refused, and so are those of any owner but the
    one in `taker`. Lifetime: forever."""
    return naming.tagged(lang, "fence")


def counters(lang: str) -> str:
    """hash: `seq`, the last commit; `story`, the last story number; `articles`, now stored; `hand`, the last
    correction; `corrected`, the version of the corrections; `taker` and `commit`, what names the last lease and the
    last commit, so that one that is asked for again is known; `hours`, with which commit each of the last 25 hours that
    had any began (`HOUR:SEQ`). Forever."""
    return naming.tagged(lang, "counters")


def corrections(lang: str) -> str:
    """hash: number -> packed Correction. Bound: 5,000, up to 80 article ids each. Lifetime: 90 days longer than the
    articles that they name."""
    return naming.tagged(lang, "corrections")


def article(lang: str, uid: bytes) -> str:
    """string, a packed Member. Lifetime: removed with its story."""
    return naming.tagged(lang, f"a:{uid.hex()}")


def story(lang: str, number: int) -> str:
    """string, a packed Story, or an Alias. Lifetime: the sweeper's after the retention; an alias 90 days more."""
    return naming.tagged(lang, f"s:{number}")


def members(lang: str, number: int) -> str:
    """zset of article uids by event time. Bound: the story's articles. Lifetime: removed with the story."""
    return naming.tagged(lang, f"m:{number}")


def term(lang: str, term: str) -> str:
    """string, the posting of a key term: up to 50 x (story number, weight), 5 bytes each. Emptied by the sweeper."""
    return naming.tagged(lang, f"t:{term}")


def band(lang: str, index: int, value: bytes) -> str:
    """string, copies' fingerprints that share 16 bits: (fingerprint, uid), 16 bytes each. Emptied by the sweeper."""
    return naming.tagged(lang, f"b:{index}:{value.hex()}")


def active(lang: str) -> str:
    """zset of story numbers by the wall clock of their last change: what retention goes by. Bound: the stories."""
    return naming.tagged(lang, "active")


def latest(lang: str) -> str:
    """zset of story numbers by the event time of their last article: what the report goes by. Bound: the stories."""
    return naming.tagged(lang, "latest")


def events(lang: str) -> str:
    """stream of new, grew, merged, split, and what editors did; ids are `seq-n`. Bound: about 100,000 entries, and more
    where the last 24 hours had more, up to 1,000,000. Lifetime: forever."""
    return naming.tagged(lang, "events")


def forgotten() -> str:
    """zset of 8-byte hashes of article ids, addresses and feeds that a person had forgotten, by when that was or when
    they last came again. Bound: the newest 1,000,000. Lifetime: 90 days each."""
    return naming.plain("forgotten")


def lags() -> str:
    """list, newest first, of packed Lags: how long a batch's articles took from fetch to story. Bound: 100. Lifetime: a
    TTL of an hour."""
    return naming.plain("lags")
