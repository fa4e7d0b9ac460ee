"""What really lies in the server is what docs/redis.md says may lie there."""

import re
from typing import Any

from docs.generate import key_functions, key_pattern
from worker.config import load
from worker.feed.carried import Claim
from worker.feed.websub import Subscription
from worker.model import Article
from worker.runtime import open_runtime
from worker.schedule import Fetch, PollState
from worker.store.alerts import Alerts, Delivery, Find
from worker.store.gates import Ask
from worker.store.identity import identity
from worker.store.pollers import Sign
from worker.store.trials import Trials

WORDS = "The harbour bridge of Port Vell was closed on Monday after engineers found cracks in two of its pillars"


def test_every_key_that_a_run_leaves_is_documented(redis_url: str) -> None:
    """Feeds added and removed, articles published, clustered, in quarantine, on trial, pinned and forgotten: each key
    fits one pattern of its type."""
    with open_runtime(load({"STORYWIRE_REDIS_URL": redis_url})) as runtime:
        now = runtime.clock.now()
        runtime.feeds.add("http://one.example/feed", "One", now)
        gone, _ = runtime.feeds.add("http://two.example/feed", "Two", now)
        for leased in runtime.feeds.lease_due(now, 60, 1):
            runtime.feeds.record(leased, PollState(next_poll=now + 60), Fetch(now))
            runtime.feeds.move(leased.id, "http://one.example/moved", now)
        runtime.feeds.remove(gone)
        articles = [
            Article(id=f"f.{number}", title=WORDS[:40], text=f"{WORDS} {number}.", lang=lang, received=now)
            for number, lang in enumerate(["en", "en", "de", "en", "en"])
        ]
        refs = runtime.outbox.publish("f", articles, {str(n): (b"", b"1") for n in range(5)}, now)
        runtime.ingest.run([*refs[:2], refs[3]])
        runtime.outbox.claims.stake({"https://one.example/a": Claim("f.0", "en", now)}, 60)
        payload = dict(runtime.outbox.everything())[refs[2]]
        runtime.quarantine.put(refs[2], payload, "no reason", "", now)
        Trials(runtime.redis, "worker").begin(refs[2:3])
        runtime.pollers.beat("poller", Sign())
        runtime.hubs.add([leased.id], now)
        runtime.hubs.put(leased.id, None, Subscription("https://hub.example/", leased.url, "https://us.example", "t"))
        runtime.hubs.keep(leased.id, b"<rss/>", "text/xml", now)
        runtime.hubs.beat()
        runtime.pages.beat()
        runtime.pages.beat("cannot read")
        runtime.pages.note("answers with status 404")
        runtime.pages.add(refs[4:], now, 60)
        asks = [Ask("https://one.example/", f"f{number}") for number in range(9)]
        runtime.gates.enter(asks, ready_s=0)
        runtime.jobs.enqueue(refs[2:3])
        runtime.webs.beat("web", Sign())
        runtime.readers.beat("reader", Sign())
        identity(runtime.redis)
        raise_alerts(runtime.alerts, now)
        runtime.editing.pin("f.0")
        runtime.forgetting.forget(runtime.forgetting.find("f.3").target)
        server: Any = runtime.redis
        found = {key.decode(): server.type(key).decode() for key in server.scan_iter()}
    patterns = {_regex(key_pattern(each)): _type(each.__doc__ or "") for each in key_functions()}
    ours = {key: kind for key, kind in found.items() if not key.startswith("rq:")}
    assert len(ours) > 20
    for key, kind in ours.items():
        assert kind in {said for pattern, said in patterns.items() if pattern.fullmatch(key)}, f"{kind} {key}"
    unseen = {pattern.pattern for pattern in patterns if not any(pattern.fullmatch(key) for key in ours)}
    assert {name for name in unseen if "lease" not in name} == set(), "documented, but never made"


def raise_alerts(alerts: Alerts, now: float) -> None:
    """Two deliveries of a rule: one waits, one is given up."""
    alerts.hold("web", 60)
    alerts.note_trouble("rules.toml: line 3: no rule")
    alerts.since({"dam": "1"}, now)
    deliveries = tuple(Delivery(name, "dam", "desk", 0, "en-1", now) for name in ("one", "two"))
    assert alerts.advance(None, "en:1-0", [Find("dam", ("en-1",), deliveries)], now) == 1
    (first,) = alerts.lease(now, now + 60, 1)
    assert alerts.bury(first, now + 60)


def _regex(pattern: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"[A-Z]+", ".+", re.escape(pattern)))


def _type(words: str) -> str:
    kind = re.split(r"\W", words)[0]
    return "string" if kind == "integer" else kind
