"""Writes down what a store holds, key by key, so that later versions can be tested on it; and puts it back.

Run with the code of the version to be recorded, on an empty database:
`PYTHONPATH=OLD:. python -m tests.store.recording unix:///SOCKET?db=0 > tests/store/schema_2.jsonl`, where OLD holds the
`worker` package of that version (schema 2: of 77d0934). Values are written as they are, not as DUMP gives them: Redis
and Valkey do not read each other's dumps.
"""

import base64
import sys
from pathlib import Path
from typing import Any

import msgspec

NOW = 1_750_000_000.0
LEDGER = "http://ledger.example/feed"
PILOT = "http://pilot.example/feed"
GONE = "http://gone.example/feed"

BRIDGE = (
    "The harbour bridge of Port Vell was closed on Monday after engineers found cracks in two of its pillars. Mayor "
    "Ines Calder said that buses would take the long way round by Saltmarsh until the pillars have been strengthened, "
    "which may last until the autumn. Nobody was hurt. The bridge, opened in 1961, carries thirty thousand cars a day."
)
BRIDGE_AGAIN = (
    "Cracks in two pillars closed the harbour bridge of Port Vell to its thirty thousand daily cars on Monday. The "
    "engineers who found them want the pillars strengthened first, said mayor Ines Calder; buses go round by Saltmarsh."
)
FERRY = (
    "A ferry with forty passengers ran aground off Cape Lorne in thick fog on Tuesday morning. Lifeboats from Lorne "
    "brought all of them ashore within two hours, the coastguard said; the captain had reported a broken radar."
)
BUDGET = (
    "Parliament passed the budget by three votes on Wednesday night, after the Greens had won a fund for rural "
    "railways. Finance minister Tom Arden called it the hardest week of his career; the opposition wants a new vote."
)
GERMAN = (
    "Die Hafenbrücke von Port Vell ist seit Montag gesperrt, weil Ingenieure in zwei Pfeilern Risse gefunden haben. "
    "Bürgermeisterin Ines Calder rechnet damit, dass die Arbeiten bis in den Herbst dauern. Verletzt wurde niemand."
)
STRIKE = (
    "Train drivers in the north will strike for two days from Friday, their union said after talks over night shifts "
    "had failed. The railway expects one train in three to run and asks commuters to stay at home where they can."
)


def record(url: str) -> None:
    """Fill the database with feeds, stories, corrections and articles that wait, and print it."""
    from msgspec.structs import replace

    from worker.clock import ManualClock
    from worker.config import load
    from worker.feed.seen import Seen
    from worker.model import Article
    from worker.runtime import open_runtime
    from worker.schedule import PollState
    from worker.store import keys

    def article(feed: str, entry: str, title: str, text: str, lang: str = "en", hours: float = 0.0) -> Article:
        at = NOW + hours * 3600
        url = f"http://{feed}.example/{entry}"
        return Article(
            id=f"{feed}.{entry}", title=title, text=text, url=url, source=feed, lang=lang, published=at, received=at
        )

    def mark(said: Article) -> bytes:
        return msgspec.msgpack.encode(Seen(b"12345678", said.revision, said.lang, said.received, said.received))

    with open_runtime(load({"STORYWIRE_REDIS_URL": url}), ManualClock(NOW + 86_400)) as runtime:
        ledger, _ = runtime.feeds.add(LEDGER, "The Ledger", NOW)
        pilot, _ = runtime.feeds.add(PILOT, "", NOW)
        gone, _ = runtime.feeds.add(GONE, "", NOW)
        polled = {feed.id: feed for feed in runtime.feeds.lease_due(NOW, 60, 10)}
        state = PollState(etag='"v7"', polled=NOW, succeeded=NOW, outcome="ok", title="Pilot", next_poll=NOW + 900)
        runtime.feeds.record(polled[pilot], state)
        runtime.feeds.record(polled[ledger], replace(state, etag="", title="Ledger", next_poll=NOW + 1800))
        runtime.feeds.remove(gone)

        placed = [
            article(ledger, "bridge", "Harbour bridge closed", BRIDGE),
            article(pilot, "bridge", "Harbour bridge closed", BRIDGE, hours=1),
            article(pilot, "cracks", "Cracks close the bridge of Port Vell", BRIDGE_AGAIN, hours=2),
            article(ledger, "ferry", "Ferry aground off Cape Lorne", FERRY, hours=3),
            article(pilot, "budget", "Budget passes by three votes", BUDGET, hours=4),
            article(ledger, "bruecke", "Hafenbrücke gesperrt", GERMAN, "de", hours=5),
            article(pilot, "secret", "A name that had to go", f"{STRIKE} The name of the driver is Ann Other."),
        ]
        for said in placed:
            feed, _, entry = said.id.partition(".")
            refs = runtime.outbox.publish(feed, [said], {entry: (b"", mark(said))}, NOW)
            runtime.ingest.run(refs)
        stories = dict(runtime.stories.assignments())
        runtime.editing.merge([stories[f"{ledger}.ferry"], stories[f"{pilot}.budget"]])
        runtime.editing.pin(f"{ledger}.bridge")
        runtime.forgetting.forget(runtime.forgetting.find(f"{pilot}.secret").target)

        waiting = article(ledger, "strike", "Train drivers to strike", STRIKE, hours=6)
        revised = replace(placed[2], revision=2, text=BRIDGE_AGAIN + " The work begins on Thursday.")
        runtime.outbox.publish(ledger, [waiting], {"strike": (b"", mark(waiting))}, NOW + 6 * 3600)
        runtime.outbox.publish(pilot, [revised], {"cracks": (mark(placed[2]), mark(revised))}, NOW + 6 * 3600)
        for line in lines(runtime.redis, f"sw:{keys.SCHEMA}:*"):
            sys.stdout.write(line + "\n")


def lines(redis: Any, pattern: str) -> list[str]:
    """The keys of a pattern, a JSON array each: name, type, milliseconds to live (-1: for good), value."""
    found = []
    for key in sorted(redis.scan_iter(pattern)):
        kind = redis.type(key).decode()
        row = [key.decode(), kind, redis.pttl(key), _value(redis, key, kind)]
        found.append(msgspec.json.encode(row).decode())
    return found


def _value(redis: Any, key: bytes, kind: str) -> object:
    if kind == "string":
        return redis.get(key)
    if kind == "hash":
        return sorted(redis.hgetall(key).items())
    if kind == "set":
        return sorted(redis.smembers(key))
    if kind == "zset":
        return redis.zrange(key, 0, -1, withscores=True)
    return [(at, list(fields.items())) for at, fields in redis.xrange(key)]


def restore(redis: Any, path: Path) -> int:
    """Put a recorded store back; how many keys. A lifetime goes on from now."""
    rows = path.read_text(encoding="utf-8").splitlines()
    pipe = redis.pipeline(transaction=False)
    for row in rows:
        key, kind, ttl_ms, value = msgspec.json.decode(row)
        if kind == "string":
            pipe.set(key, _bytes(value))
        elif kind == "hash":
            pipe.hset(key, mapping={_bytes(field): _bytes(said) for field, said in value})
        elif kind == "set":
            pipe.sadd(key, *map(_bytes, value))
        elif kind == "zset":
            pipe.zadd(key, {_bytes(member): score for member, score in value})
        else:
            for at, fields in value:
                pipe.xadd(key, {_bytes(field): _bytes(said) for field, said in fields}, id=_bytes(at))
        if ttl_ms > 0:
            pipe.pexpire(key, ttl_ms)
    pipe.execute()
    return len(rows)


def _bytes(encoded: str) -> bytes:
    return base64.b64decode(encoded)


if __name__ == "__main__":
    record(sys.argv[1])
