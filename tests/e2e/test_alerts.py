"""Alerts from commit to receiver, over a real store and real HTTP: once a story and rule, whoever dies."""

import asyncio
import hashlib
import hmac
import os
import re
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack, asynccontextmanager, suppress
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from tests.command import here, one_line, start_storywire
from tests.e2e.receiver import Got, Receiver, receiving
from tests.e2e.site import article, fill, running_site, site_runtime
from tests.servers import Server, free_port
from tests.unit.articles import (
    CUP,
    CUP_TITLE,
    DAM,
    DAM_REPORT,
    DAM_REPORT_TITLE,
    DAM_REWRITE,
    DAM_REWRITE_TITLE,
    DAM_TITLE,
)
from tests.waiting import eventually
from worker.alerts.deliver import TRIES_S, Sender
from worker.alerts.file import RuleFile
from worker.alerts.watch import Watching
from worker.clock import ManualClock
from worker.examinations import EXAMINATIONS
from worker.examinations.scene import Scene
from worker.model import Article, story_id
from worker.runtime import Runtime
from worker.store import keys

NOW = 1_800_000_000.0
SECRET = "a-secret-of-twenty-one"
DAM_RULE = '[[rule]]\nname = "dam"\nany = ["dam*", "vellmark"]\nto = "desk"\n'


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving() as running:
        yield running


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def runtime(valkey_url: str, clock: ManualClock) -> Iterator[Runtime]:
    with site_runtime(valkey_url, clock) as opened:
        yield opened


class Desk:
    """Watches by hand: `turn` looks through what happened and delivers what is due."""

    def __init__(self, runtime: Runtime, watching: Watching) -> None:
        self.runtime, self.watching = runtime, watching

    async def turn(self) -> None:
        await self.begin()
        await self.watching.dispatch.settled()

    async def begin(self) -> None:
        """A turn that waits for nothing that it sends."""
        while self.watching.look():
            pass
        await self.watching.dispatch.begin()

    def came(self, *articles: Article) -> None:
        """These articles are clustered."""
        fill(self.runtime, articles)


@asynccontextmanager
async def desk(runtime: Runtime, path: Path, rules: str, timeout_s: float = 5.0) -> AsyncIterator[Desk]:
    """A desk by these rules that has begun to watch."""
    path.write_text(rules)
    async with Sender(runtime.settings, timeout_s=timeout_s) as sender:
        watching = Watching(runtime, RuleFile(path, {"SECRET": SECRET}), sender, asyncio.to_thread)
        made = Desk(runtime, watching)
        await made.turn()
        yield made


def webhook(receiver: Receiver) -> str:
    return f'[to.desk]\nurl = "{receiver.url}"\nsecret = "${{SECRET}}"\n'


def signed(got: Got) -> bool:
    """Whether the signature is that of the time and the body."""
    parts = dict(part.split("=") for part in got.headers["storywire-signature"].split(","))
    made = hmac.new(SECRET.encode(), parts["t"].encode() + b"." + got.body, hashlib.sha256).hexdigest()
    return made == parts["v1"]


def dam(name: str = "herald", **more: object) -> Article:
    return article(f"{name}/dam", DAM_TITLE, DAM, **({"received": NOW} | more))


def report(name: str = "times", **more: object) -> Article:
    return article(f"{name}/report", DAM_REPORT_TITLE, DAM_REPORT, **({"received": NOW} | more))


async def test_a_story_is_told_of_once(runtime: Runtime, receiver: Receiver, tmp_path: Path) -> None:
    """Signed, with its reason and its link; not again as it grows, and nothing of other stories."""
    async with desk(runtime, tmp_path / "rules.toml", DAM_RULE + webhook(receiver)) as at:
        at.came(dam(), article("post/cup", CUP_TITLE, CUP, received=NOW))
        await at.turn()
        at.came(report(), dam("gazette"))
        await at.turn()
    [got] = receiver.got
    assert signed(got)
    said = got.json
    assert got.headers["content-type"] == "application/json"
    assert got.headers["storywire-delivery"] == got.headers["idempotency-key"] == said["id"]
    assert (said["rule"], said["test"], said["story"]["headline"]) == ("dam", False, DAM_TITLE)
    assert said["why"] == "headlines with 'dam*', 'vellmark'"
    assert said["link"] == f"http://{runtime.settings.listen}/stories/{said['story']['story']}"
    assert (said["first"]["source"], said["story"]["articles"]) == ("Herald", 1)
    assert runtime.alerts.depths() == (0, 0)


async def test_enough_outlets_in_time(runtime: Runtime, receiver: Receiver, tmp_path: Path) -> None:
    """The third outlet makes the story one to be told of."""
    rules = '[[rule]]\nname = "three"\noutlets = 3\nwithin = "1h"\nto = "desk"\n' + webhook(receiver)
    async with desk(runtime, tmp_path / "rules.toml", rules) as at:
        at.came(dam(), dam("gazette"))
        await at.turn()
        assert not receiver.got
        at.came(article("times/r", DAM_REWRITE_TITLE, DAM_REWRITE, received=NOW))
        await at.turn()
    assert [got.json["why"] for got in receiver.got] == ["3 outlets within 60 min: Herald, Gazette, Times"]


async def test_targets_that_hang_hold_up_no_other(
    runtime: Runtime, receiver: Receiver, tmp_path: Path, clock: ManualClock
) -> None:
    """However many hang, and though more waits for each than it is sent at once: that stays where it is in the queue,
    and is sent when they answer again."""
    answers, hung, each = threading.Event(), 17, 6
    names = [f"slow-{n}" for n in range(hung)]
    rules = "".join(f'[[rule]]\nname = "dam {n}"\nany = ["dam*"]\nto = {names}\n' for n in range(each))
    rules += '[[rule]]\nname = "cup"\nany = ["cup"]\nto = "desk"\n' + webhook(receiver)
    with receiving() as slow:
        slow.before = lambda: answers.wait(60)
        rules += "".join(f'[to.{name}]\nurl = "{slow.url}"\n' for name in names)
        async with desk(runtime, tmp_path / "rules.toml", rules, timeout_s=60.0) as at:
            at.came(dam())
            await at.begin()
            await asyncio.to_thread(eventually, lambda: len(slow.got) == 4 * hung, 20, "not four of each are sent")
            waits = runtime.alerts.waiting()
            at.came(article("post/cup", CUP_TITLE, CUP, received=NOW))
            await at.begin()
            await asyncio.to_thread(eventually, lambda: receiver.got, 20, "the other target is told of nothing")
            left = runtime.alerts.waiting()
            assert [one for one in left if one[0].to != "desk"] == waits, "what has no room was put back"
            assert len(slow.got) == 4 * hung
            answers.set()
            await at.watching.dispatch.settled()
            clock.advance(10)
            await at.turn()
        assert len({got.json["id"] for got in slow.got}) == each * hung
    assert runtime.alerts.depths() == (0, 0)


async def test_what_a_first_fetch_brought_is_no_news(runtime: Runtime, receiver: Receiver, tmp_path: Path) -> None:
    """Neither by itself, nor as one of the outlets; what comes after it is."""
    rules = DAM_RULE + "outlets = 2\n" + webhook(receiver)
    async with desk(runtime, tmp_path / "rules.toml", rules) as at:
        at.came(dam(backfill=True), report(backfill=True), dam("gazette", backfill=True))
        await at.turn()
        at.came(dam("mail"))
        await at.turn()
        assert not receiver.got, "one outlet has told of it since"
        at.came(dam("star"))
        await at.turn()
    assert len(receiver.got) == 1


async def test_an_edit_of_what_a_first_fetch_brought_is_no_news(
    runtime: Runtime, receiver: Receiver, tmp_path: Path
) -> None:
    """Though another feed, which has shown it for longer, tells of the edit."""
    async with desk(runtime, tmp_path / "rules.toml", DAM_RULE + webhook(receiver)) as at:
        at.came(dam(backfill=True))
        at.came(dam(revision=2, received=NOW + 60))
        await at.turn()
    assert not receiver.got


async def test_what_is_older_than_a_rule_is_not_told_of(
    runtime: Runtime, receiver: Receiver, tmp_path: Path, clock: ManualClock
) -> None:
    """Nor when it grows later; and a rule that is about something else from now on is a new one."""
    fill(runtime, [dam()])
    clock.advance(10)
    async with desk(runtime, tmp_path / "rules.toml", DAM_RULE + webhook(receiver)) as at:
        at.came(report(received=clock.now()))
        await at.turn()
        assert not receiver.got
        at.came(article("post/cup", CUP_TITLE, CUP, received=clock.now()))
    clock.advance(10)
    async with desk(runtime, tmp_path / "rules.toml", DAM_RULE.replace("vellmark", "cup*") + webhook(receiver)):
        assert not receiver.got, "begun before the rule was about cups"


async def test_a_merged_story_is_not_told_of_again(runtime: Runtime, receiver: Receiver, tmp_path: Path) -> None:
    """The one that stays is known by the one that was told of, whichever number it keeps."""
    rules = DAM_RULE.replace('"vellmark"', '"cup"') + "outlets = 2\n" + webhook(receiver)
    async with desk(runtime, tmp_path / "rules.toml", rules) as at:
        at.came(article("post/cup", CUP_TITLE, CUP, received=NOW), dam(), dam("gazette"))
        await at.turn()
        assert [got.json["story"]["headline"] for got in receiver.got] == [DAM_TITLE]
        ids = [story_id("en", story.number) for story in runtime.stories.recent("en", 0, 9)]
        runtime.editing.merge(ids)
        at.came(article("star/cup", CUP_TITLE, CUP, received=NOW))
        await at.turn()
    assert len(runtime.stories.recent("en", 0, 9)) == 1, "the stories were not merged"
    assert len(receiver.got) == 1


async def test_rules_that_are_broken_at_the_start_are_told_until_they_are_mended(
    runtime: Runtime, receiver: Receiver, tmp_path: Path
) -> None:
    """What waits is kept meanwhile, not taken for that of a rule which is gone."""
    path = tmp_path / "rules.toml"
    async with desk(runtime, path, DAM_RULE + webhook(receiver)) as at:
        at.came(dam())
        at.watching.look()
    path.write_text(DAM_RULE + webhook(receiver).replace("${SECRET}", "short"))
    async with Sender(runtime.settings) as sender:
        file = RuleFile(path, {"SECRET": SECRET}, lenient=True)
        running = asyncio.create_task(Watching(runtime, file, sender, asyncio.to_thread, 0.05).run())
        try:
            await asyncio.to_thread(eventually, runtime.alerts.trouble, 20, "nobody says what is wrong")
            assert "line 7: the `secret` of target 'desk' is shorter" in runtime.alerts.trouble()
            assert examine_alerts(runtime).startswith("1 alert on the way; none is raised or sent where the rules")
            assert not receiver.got
            path.write_text(DAM_RULE + webhook(receiver))
            await asyncio.to_thread(eventually, lambda: receiver.got, 20, "nothing is sent with the mended rules")
        finally:
            running.cancel()
            with suppress(asyncio.CancelledError):
                await running


def examine_alerts(runtime: Runtime) -> str:
    """What `storywire check` says of the alerts."""
    return EXAMINATIONS["alerts"](Scene(runtime, "", NOW)).said


@pytest.mark.parametrize("down", [(0, 1), (1,), (0,)], ids=["both wait", "the later waits", "the older waits"])
async def test_stories_that_become_one_while_they_wait_are_told_of_once(
    runtime: Runtime, receiver: Receiver, tmp_path: Path, clock: ManualClock, down: tuple[int, ...]
) -> None:
    rules = DAM_RULE.replace('"vellmark"', '"cup"') + webhook(receiver)
    async with desk(runtime, tmp_path / "rules.toml", rules) as at:
        receiver.answers = [(503, {}) if n in down else (200, {}) for n in (0, 1)]
        for each in (dam(), article("post/cup", CUP_TITLE, CUP, received=NOW)):
            at.came(each)
            await at.turn()
        assert (runtime.alerts.depths()[0], len(receiver.got)) == (len(down), 2)
        runtime.editing.merge([story_id("en", story.number) for story in runtime.stories.recent("en", 0, 9)])
        clock.advance(10)
        await at.turn()
    assert runtime.alerts.depths() == (0, 0)
    assert len(receiver.got) == (3 if len(down) == 2 else 2), "one of both is sent"


async def test_what_waits_is_told_though_its_story_went_into_another(
    runtime: Runtime, receiver: Receiver, tmp_path: Path, clock: ManualClock
) -> None:
    """One that nobody was told of, and which grows meanwhile."""
    async with desk(runtime, tmp_path / "rules.toml", DAM_RULE + webhook(receiver)) as at:
        receiver.answers = [(503, {})]
        at.came(article("post/cup", CUP_TITLE, CUP, received=NOW), dam())
        await at.turn()
        runtime.editing.merge([story_id("en", story.number) for story in runtime.stories.recent("en", 0, 9)])
        at.came(article("star/cup", CUP_TITLE, CUP, received=NOW))
        await at.turn()
        clock.advance(10)
        await at.turn()
    assert len(receiver.got) == 2
    assert runtime.alerts.depths() == (0, 0)


async def test_a_receiver_that_is_down_gets_it_later(
    runtime: Runtime, receiver: Receiver, tmp_path: Path, clock: ManualClock
) -> None:
    """The same id each time, a signature of its own; not before the server wants it, which others do not wait for."""
    receiver.answers = [(503, {"Retry-After": "600"}), (500, {}), (302, {"Location": receiver.url})]
    async with desk(runtime, tmp_path / "rules.toml", DAM_RULE + webhook(receiver)) as at:
        at.came(dam())
        await at.turn()
        clock.advance(599)
        await at.turn()
        assert len(receiver.got) == 1, "Retry-After is obeyed"
        for _ in range(3):
            clock.advance(60)
            await at.turn()
        assert len(receiver.got) == 4
        told = at.watching._metrics.text().decode()
        counted = {"raised": 1, "again": 3, "delivered": 1, "dead": 0}
        assert [how for how, n in counted.items() if f'alerts_total{{outcome="{how}"}} {n}.0' not in told] == []
        assert len({got.json["id"] for got in receiver.got}) == 1
        assert len({got.headers["storywire-signature"] for got in receiver.got}) == 4
        assert all(signed(got) for got in receiver.got)
        assert runtime.alerts.depths() == (0, 0)


async def test_what_nobody_takes_is_dead_in_the_end(
    runtime: Runtime, receiver: Receiver, tmp_path: Path, clock: ManualClock
) -> None:
    """After a day, or at once where the receiver is gone for good; it is listed with the reason and can be dropped."""
    receiver.answers = [(410, {})]
    nowhere = f'[to.away]\nurl = "http://127.0.0.1:{free_port()}/"\n'
    rules = DAM_RULE.replace('"desk"', '["desk", "away"]') + webhook(receiver) + nowhere
    async with desk(runtime, tmp_path / "rules.toml", rules) as at:
        at.came(dam())
        await at.turn()
        assert runtime.alerts.depths() == (1, 1)
        [(waiting, due)] = runtime.alerts.waiting()
        assert "cannot be reached" in waiting.trouble
        assert NOW + 5 <= due <= NOW + 6
        clock.advance(TRIES_S)
        await at.turn()
    assert runtime.alerts.depths() == (0, 2)
    listed = here("alerts", "list", redis_url=runtime.settings.redis_url)
    assert re.search(r"dead +dam +en-\w+ -> desk +tried 1 time: answers 410", listed.stdout), listed.stdout
    assert "dropped: 2 alerts" in here("alerts", "drop", redis_url=runtime.settings.redis_url).stdout


async def test_no_log_and_no_list_has_a_secret_of_an_address(
    runtime: Runtime, receiver: Receiver, tmp_path: Path, clock: ManualClock
) -> None:
    """Though who refuses it repeats the address, and though nobody is there: of webhooks, and of Apprise."""
    receiver.answers = [(404, {})] * 3
    host, path = f"127.0.0.1:{receiver.port}", "SECRET/T0?key=SECRET"
    targets = {
        "desk": f'url = "http://{host}/services/{path}"',
        "user": f'url = "http://me:SECRET@{host}/x"',
        "away": f'url = "http://me:SECRET@127.0.0.1:{free_port()}/{path}"',
        "phone": f'apprise = "json://me:SECRET@{host}/{path}"',
    }
    rules = DAM_RULE.replace('"desk"', str([*targets])) + "".join(f"[to.{n}]\n{to}\n" for n, to in targets.items())
    with capture_logs() as lines:
        async with desk(runtime, tmp_path / "rules.toml", rules) as at:
            at.came(dam())
            await at.turn()
    listed = here("alerts", "list", redis_url=runtime.settings.redis_url).stdout
    assert (len(receiver.got), listed.count("tried 1 time")) == (3, 4)
    assert [line["trouble"] for line in lines if line.get("to") == "desk"] == ["answers 404"]
    kept = [delivery.trouble for delivery, _ in runtime.alerts.waiting()]
    assert "SECRET" not in f"{lines} {listed} {kept}"


async def test_private_addresses_are_refused(
    valkey_url: str, clock: ManualClock, receiver: Receiver, tmp_path: Path
) -> None:
    """Unless they are allowed: of webhooks, and of whatever Apprise speaks to."""
    service = f'[to.phone]\napprise = "json://127.0.0.1:{receiver.port}/"\n'
    rules = DAM_RULE.replace('"desk"', '["desk", "phone"]') + webhook(receiver) + service
    with site_runtime(valkey_url, clock, allow_private="0") as runtime:
        async with desk(runtime, tmp_path / "rules.toml", rules) as at:
            at.came(dam())
            await at.turn()
            troubles = sorted(delivery.trouble for delivery, _ in runtime.alerts.waiting())
    assert not receiver.got
    assert len(troubles) == 2
    assert all("an address of this machine" in trouble for trouble in troubles), troubles
    with site_runtime(valkey_url, clock, allow_private=f"127.0.0.1:{receiver.port}") as runtime:
        async with desk(runtime, tmp_path / "rules.toml", rules) as at:
            clock.advance(60)
            await at.turn()
            assert runtime.alerts.depths() == (0, 0)
    plain = next(got.json for got in receiver.got if "storywire-delivery" not in got.headers)
    assert plain["title"] == f"dam: {DAM_TITLE}"
    assert "1 outlet, 1 article" in plain["message"]


def test_of_two_that_watch_one_tells(
    valkey_url: str, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Both watch the same store: each story is told of once; and when one ends, the other goes on at once."""
    monkeypatch.setenv("SECRET", SECRET)
    path = tmp_path / "rules.toml"
    path.write_text(DAM_RULE.replace('"vellmark"', '"cup"') + webhook(receiver))
    with ExitStack() as whole, ExitStack() as until:
        one = whole.enter_context(site_runtime(valkey_url, alerts=str(path)))
        whole.enter_context(running_site(one))
        other = until.enter_context(site_runtime(valkey_url, alerts=str(path)))
        until.enter_context(running_site(other))
        eventually(lambda: one.alerts.position() is not None, 10, "nobody watches")
        fill(one, [article("herald/dam", DAM_TITLE, DAM)])
        eventually(lambda: receiver.got, 10, "the first story was not told of")
        until.close()
        fill(one, [article("post/cup", CUP_TITLE, CUP)])
        eventually(lambda: len(receiver.got) == 2, 10, "the second story was not told of")
        eventually(lambda: one.alerts.depths() == (0, 0), 10, "something is left to be delivered")
    assert sorted(got.json["story"]["headline"] for got in receiver.got) == sorted([DAM_TITLE, CUP_TITLE])


async def test_a_process_that_is_killed_before_it_notes_tells_again(
    valkey_url: str, clock: ManualClock, receiver: Receiver, tmp_path: Path
) -> None:
    """A real one, killed while the receiver has its request: the next process delivers under the same id."""
    path = tmp_path / "rules.toml"
    path.write_text(DAM_RULE + webhook(receiver))
    os.environ["SECRET"] = SECRET
    settings = {"redis_url": valkey_url, "listen": f"127.0.0.1:{free_port()}", "alerts": path}
    process = start_storywire("serve", **settings)
    try:
        receiver.before = lambda: os.killpg(process.pid, signal.SIGKILL)
        with site_runtime(valkey_url) as runtime:
            await asyncio.to_thread(eventually, lambda: runtime.alerts.position() is not None, 30, "nobody watches")
            fill(runtime, [article("herald/dam", DAM_TITLE, DAM)])
            await asyncio.to_thread(process.communicate, None, 30)
            assert process.returncode == -signal.SIGKILL
            assert runtime.alerts.depths() == (1, 0), "it is still to be delivered"
            clock.now_s = runtime.clock.now() + 600
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.communicate(timeout=10)
        del os.environ["SECRET"]
    receiver.before = lambda: None
    with site_runtime(valkey_url, clock) as later:
        async with desk(later, path, path.read_text()):
            assert later.alerts.depths() == (0, 0)
    assert len(receiver.got) == 2
    assert len({got.json["id"] for got in receiver.got}) == 1


async def test_what_was_found_and_not_written_is_found_again(
    runtime: Runtime, receiver: Receiver, tmp_path: Path
) -> None:
    """The position and the alerts are one write: another process that was quicker leaves nothing to be raised twice."""
    async with desk(runtime, tmp_path / "rules.toml", DAM_RULE + webhook(receiver)) as at:
        before = runtime.alerts.position()
        at.came(dam())
        await at.turn()
        assert runtime.alerts.advance(before, "en:9-0", (), NOW) is None, "somebody has gone on from there"
        assert runtime.alerts.position() != "en:9-0"
        runtime.redis.hset(keys.alerts(), "position", before or "")  # as after a lost second
        await at.turn()
    assert len(receiver.got) == 1, "the mark stands"


async def test_stories_whose_events_are_gone_are_looked_at(
    runtime: Runtime, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each is told of once, though who looks dies on the way; a check says that some may be missing, until somebody
    has read it."""
    monkeypatch.setattr("worker.alerts.gap._AT_ONCE", 1)
    path, rules = tmp_path / "rules.toml", DAM_RULE.replace('"vellmark"', '"cup"') + webhook(receiver)
    async with desk(runtime, path, rules) as at:
        fill(runtime, [dam(), article("star/cup", CUP_TITLE, CUP, received=NOW, backfill=True)])
        fill(runtime, [article("post/cup", CUP_TITLE, CUP, received=NOW), dam("times", received=NOW + 1)])
        runtime.redis.xtrim(keys.events("en"), maxlen=1, approximate=False)
        assert at.watching.look(), "there is more to look at"
        at.watching.let_go()
    async with desk(runtime, path, rules) as at:
        assert sorted(got.json["story"]["headline"] for got in receiver.got) == sorted([CUP_TITLE, DAM_TITLE])
        line = here("check", "--only", "alerts", redis_url=runtime.settings.redis_url).stdout
        assert "ago events (en) were gone before the rules looked through them: alerts may be missing" in line
        assert 'alerts_total{outcome="gap"} 1.0' in at.watching._metrics.text().decode()
        runtime.alerts.drop_dead()
        at.came(dam("gazette", received=NOW + 2))
        await at.turn()
        assert (
            "alerts      ok    0 alerts"
            in here("check", "--only", "alerts", redis_url=runtime.settings.redis_url).stdout
        )
    assert len(receiver.got) == 2


async def test_what_the_list_has_no_room_for_is_counted(
    runtime: Runtime, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of alerts that nobody took: those that could not wait, and those that were tried."""
    monkeypatch.setattr("worker.store.alerts.MOST_WAITING", 1)
    monkeypatch.setattr("worker.store.alerts.MOST_DEAD", 1)
    receiver.answers = [(410, {})]
    rules = "".join(DAM_RULE.replace('"dam"', f'"dam {n}"') for n in range(3)) + webhook(receiver)
    async with desk(runtime, tmp_path / "rules.toml", rules) as at:
        at.came(dam())
        while at.watching.look():
            pass
        assert (runtime.alerts.depths(), runtime.alerts.lost().dead) == ((1, 1), 1)
        await at.turn()
        assert (runtime.alerts.depths(), runtime.alerts.lost().dead) == ((0, 1), 2)
        line = here("check", "--only", "alerts", redis_url=runtime.settings.redis_url).stdout
        assert "nobody took 1 alert, and 2 older ones: see `storywire alerts list`" in line


async def test_forgotten_is_not_told(runtime: Runtime, receiver: Receiver, tmp_path: Path, clock: ManualClock) -> None:
    """What is delivered is read when it is sent: a story that is gone by then is told of to nobody."""
    receiver.answers = [(500, {})]
    async with desk(runtime, tmp_path / "rules.toml", DAM_RULE + webhook(receiver)) as at:
        at.came(dam())
        await at.turn()
        found = runtime.forgetting.find("herald/dam")
        runtime.forgetting.forget(found.target)
        clock.advance(60)
        await at.turn()
        assert len(receiver.got) == 1
        assert [dead.trouble for dead in runtime.alerts.dead()] == ["the story has ended, or was removed"]


def test_a_broken_file_is_refused_at_the_start(valkey_url: str, tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(DAM_RULE + "outlet_s = 2\n")
    done = here("serve", redis_url=valkey_url, listen=f"127.0.0.1:{free_port()}", alerts=path)
    assert done.returncode == 1
    assert one_line(done.stderr) == f"{path}: line 5: `outlet_s` is not known here: did you mean `outlets`?"


def test_check_says_which_present_stories_a_rule_is_about(
    runtime: Runtime, receiver: Receiver, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Secrets of the environment in place, none of them shown; and a test goes to the targets, marked as one."""
    path, url = tmp_path / "rules.toml", runtime.settings.redis_url
    path.write_text(DAM_RULE + webhook(receiver))
    missing = here("alerts", "check", path, redis_url=url)
    assert (
        one_line(missing.stderr) == f"{path}: line 7: ${{SECRET}} is not set: set SECRET in the environment of `serve`"
    )
    monkeypatch.setenv("SECRET", SECRET)
    fill(runtime, [dam(), report(), article("post/cup", CUP_TITLE, CUP, received=NOW)])
    done = here("alerts", "check", path, redis_url=url)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:2] == [f"{path}: 1 rule, 1 target", "dam -> desk: 1 present story"]
    assert re.fullmatch(rf"  en-\w+  {DAM_TITLE}  \(headlines with 'dam\*', 'vellmark'\)", lines[2])
    assert SECRET not in done.stdout + done.stderr
    tested = here("alerts", "test", "dam", "--file", path, redis_url=url)
    assert (tested.returncode, tested.stdout) == (0, "desk: taken\n")
    [got] = receiver.got
    assert signed(got)
    assert got.json["test"] is True
    receiver.answers = [(500, {})]
    failed = here("alerts", "test", "dam", "--file", path, redis_url=url)
    assert (failed.returncode, failed.stdout) == (1, "desk: answers 500\n")


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # of Apprise, by Python 3.11
def test_an_address_that_apprise_does_not_know_is_refused_with_its_line(valkey_url: str, tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_text(DAM_RULE + '[to.desk]\napprise = "slak://token-that-is-secret"\n')
    done = here("alerts", "check", path, redis_url=valkey_url)
    said = f"{path}: line 6: target 'desk': Apprise knows no such address, slak://...: see docs/alerts.md"
    assert (done.returncode, one_line(done.stderr)) == (1, said)


async def test_a_check_tells_of_alerts(
    runtime: Runtime, receiver: Receiver, tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """That somebody watches, that one is not taken yet and why, and in the end that nobody took it."""

    def line() -> str:
        return here("check", "--only", "alerts", redis_url=runtime.settings.redis_url).stdout.strip()

    assert line() == "alerts      warn  0 alerts on the way; nobody watches for more: start `storywire serve`"
    receiver.answers = [(500, {}), (410, {})]
    async with desk(runtime, tmp_path / "rules.toml", DAM_RULE + webhook(receiver)) as at:
        assert line() == "alerts      ok    0 alerts on the way"
        at.came(dam())
        await at.turn()
        assert line() == "alerts      warn  1 alert on the way, 1 of them was not taken yet: answers 500"
        clock.advance(60)
        await at.turn()
    assert "warn  0 alerts on the way; nobody took 1 alert: see `storywire alerts list`" in line()


async def test_a_story_that_fails_holds_up_no_other(runtime: Runtime, receiver: Receiver, tmp_path: Path) -> None:
    """A record that cannot be read is seen in the log; the position goes on, and the next story is told of."""
    async with desk(runtime, tmp_path / "rules.toml", DAM_RULE + webhook(receiver)) as at:
        at.came(article("post/cup", CUP_TITLE, CUP, received=NOW))
        [cup] = runtime.stories.recent("en", 0, 9)
        runtime.redis.set(keys.story("en", cup.number), b"\xc1 broken")
        at.came(dam())
        await at.turn()
    assert [got.json["story"]["headline"] for got in receiver.got] == [DAM_TITLE]


async def test_a_rule_that_is_gone_tells_nobody(
    runtime: Runtime, receiver: Receiver, tmp_path: Path, clock: ManualClock
) -> None:
    """What it had raised is not tried on, and says why."""
    receiver.answers = [(500, {})]
    path = tmp_path / "rules.toml"
    async with desk(runtime, path, DAM_RULE + webhook(receiver)) as at:
        at.came(dam())
        await at.turn()
    clock.advance(60)
    async with desk(runtime, path, DAM_RULE.replace('"dam"', '"cup"', 1) + webhook(receiver)):
        assert len(receiver.got) == 1
        assert [dead.trouble for dead in runtime.alerts.dead()] == ["its rule or its target is in the file no more"]


async def test_a_server_that_dies_before_an_alert_is_settled_loses_none(
    new_server: Callable[..., Server], receiver: Receiver, tmp_path: Path, clock: ManualClock
) -> None:
    """Killed while the receiver has the request, and started again: what was raised is delivered under the same id."""
    server = new_server("valkey", persistent=True, appendfsync="always")
    with site_runtime(server.url(0), clock) as runtime:
        async with desk(runtime, tmp_path / "rules.toml", DAM_RULE + webhook(receiver)) as at:
            at.came(dam())
            receiver.before = server.kill
            await at.turn()
            receiver.before = lambda: None
            server.start()
            clock.advance(600)
            await at.turn()
            assert runtime.alerts.depths() == (0, 0)
    assert len(receiver.got) == 2
    assert len({got.json["id"] for got in receiver.got}) == 1
