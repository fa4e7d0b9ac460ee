"""deploy/redis/users.acl: with it every process does all of its work, and none may do what is not its work."""

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.parse import quote
from urllib.request import Request, urlopen

import pytest
import redis
import rq

from tests.command import here
from tests.deploy.users import NOBODY, OURS, REDIS, Guarded, with_passwords
from tests.e2e.feed_server import FeedServer, page
from tests.e2e.hub import Hub
from tests.e2e.polling import rss
from tests.e2e.receiver import receiving
from tests.e2e.test_serve import TEXT, document, forms, running
from tests.servers import KINDS, free_port
from tests.unit.page_layouts import SUMMARY, TITLE, classic
from tests.waiting import eventually

WORKER = REDIS.parents[1] / "worker"
TOKEN = "a-token-of-the-tests-4711"
FILE = (REDIS / "users.acl").read_text()
PREFIXES = ("~sw:", "~rq:", "%R~sw:", "%R~rq:")
OTHER = "Vineyards above Saltmarsh Quay lost half of their grapes to hail on Sunday, growers told the chamber"
RULE = '[[rule]]\nname = "reports"\nany = ["report*"]\nto = ["desk"]\n\n[to.desk]\nurl = "{}"\n'


@pytest.fixture(scope="module", params=KINDS)
def guarded(request: pytest.FixtureRequest) -> Iterator[Guarded]:
    with closing(Guarded(request.param)) as server:
        yield server


def rules(user: str) -> list[str]:
    """What the file says of a user."""
    return next(line.split()[2:] for line in FILE.splitlines() if line.startswith(f"user {user} "))


def test_without_a_password_nobody_does_anything_and_the_file_comes_with_none() -> None:
    first, *others = FILE.splitlines()
    assert first == "user default off resetpass ~* &* +@all", "off; as it Redis 7.0 reads its own file, which takes all"
    for line in others:
        assert line.split()[2:4] == ["on", NOBODY], "a password is to be made"
    assert not re.search(r"nopass| >|~\*( |$)|allkeys|\+@all|allcommands", "\n".join(others))


@pytest.mark.parametrize("user", OURS)
def test_our_users_have_commands_by_name_and_keys_of_ours(user: str) -> None:
    said = rules(user)[2:]
    assert all(rule.startswith(PREFIXES) for rule in said if "~" in rule)
    groups = [rule for rule in said if "@" in rule]
    assert groups == ["-@all", "+@connection", "-@admin", "-@dangerous"], "PING, AUTH, CLIENT SETINFO and the like"
    assert said.index("-@dangerous") < said.index("+info"), "the one of them that is needed"
    dangerous = {"keys", "flushall", "flushdb", "config", "eval", "debug", "sort", "migrate", "restore", "swapdb"}
    assert not dangerous & {rule.lstrip("+").partition("|")[0] for rule in said}


def test_a_new_version_changes_rights_and_no_passwords(tmp_path: Path) -> None:
    """As an operator renews the file, who has a user besides; a user that is new is named, and shut out."""
    old, own = tmp_path / "users.acl", "user backup on #" + "b" * 64 + " -@all +ping"
    lines = with_passwords(FILE).splitlines()
    before = [re.sub(" [-+]@.*", " -@all +ping", line) for line in lines if not line.startswith("user web ")]
    old.write_text("\n".join([*before, own]) + "\n")
    old.chmod(0o640)
    same = old.stat().st_ino
    done = subprocess.run(["sh", REDIS / "renew.sh", old], capture_output=True, text=True, check=True)
    wanted = [line if not line.startswith("user web ") else f"user web {' '.join(rules('web'))}" for line in lines]
    assert old.read_text().splitlines() == [*wanted, own]
    assert (old.stat().st_mode & 0o777, old.stat().st_ino) == (0o640, same), "the server, and a container, read it"
    assert (tmp_path / "users.acl.before").read_text().splitlines() == [*before, own]
    assert done.stderr == "web has no password of its own: nobody comes in as that user\n"


STORY, FEED, JOB = "sw:3:{en}:s:1", "sw:3:{f.0123}:state", "rq:job:1"
PAYLOADS, GATE, QUARANTINE = "sw:3:{f.0123}:payloads", "sw:3:{g.0123}:gate", "sw:3:{f.0123}:quarantine"
REFUSED = [
    *[(user, words) for user in OURS for words in ("KEYS *", "FLUSHALL", "FLUSHDB", "CONFIG GET dir", "SHUTDOWN")],
    *[(user, words) for user in OURS for words in ("GET other", "SET other 1", "EVAL return 0", "SCRIPT FLUSH")],
    *[(user, words) for user in OURS for words in ("ACL LIST", "MONITOR", "CLIENT LIST", "SUBSCRIBE x")],
    *[("poller", f"{word} {STORY}") for word in ("GET", "DEL", "UNLINK")],
    ("poller", "SET sw:3:{und}:s:1 x"), ("poller", "ZRANGE sw:3:{en}:latest 0 -1"), ("poller", "SCAN 0"),
    ("poller", f"HDEL {QUARANTINE} x"), ("poller", "HGETALL sw:3:{alerts}:state"),
    ("poller", "BLMOVE rq:queue:x rq:x LEFT LEFT 0"),
    ("pages", f"GET {STORY}"), ("pages", f"HSET {FEED} address x"), ("pages", "ZADD sw:3:schedule 0 x"),
    ("pages", "SCAN 0"),
    ("web", f"HSET {FEED} address x"), ("web", f"HSET {PAYLOADS[:-8]}seen x x"), ("web", "RPUSH rq:queue:x x"),
    ("web", "DEL sw:3:poller:x"), ("web", "SADD sw:3:removed-feeds x"), ("web", "SCAN 0"),
    ("worker", "GET key-of-others"),
    *[("operator", f"{word} {STORY}") for word in ("GET", "DEL", "UNLINK", "DUMP")], ("operator", "FLUSHALL"),
    ("operator", f"SET {STORY} x"), ("operator", "MIGRATE a 1 other 0 9"),
    ("replica", f"GET {STORY}"), ("replica", "CONFIG GET dir"),
    ("sentinel", f"GET {STORY}"), ("sentinel", "CONFIG SET maxmemory 1"),
]  # fmt: skip
PERMITTED = [
    ("poller", f"HSET {FEED} polls x"), ("poller", f"HSET {PAYLOADS} a x"), ("poller", f"RPUSH rq:queue:x {JOB}"),
    ("pages", f"HSET {PAYLOADS} a x"), ("pages", f"HSET {GATE} last 1"), ("worker", f"SET {STORY} x"),
    ("web", f"SET {STORY} x"), ("web", f"HGETALL {FEED}"), ("web", "SET sw:3:{und}:s:1 x"), ("web", f"HGETALL {JOB}"),
    ("admin", f"HSET {FEED} address x"), ("admin", f"SET {STORY} x"), ("admin", f"DEL {JOB}"),
    ("operator", "BGSAVE"), ("operator", "ACL LOAD"), ("operator", "PSYNC ? -1"), ("operator", "CONFIG GET dir"),
    ("operator", f"MIGRATE a 1 {STORY} 0 9"), ("operator", f"RESTORE-ASKING {STORY} 0 x"),
    ("operator", "CLUSTER SETSLOT 1 STABLE"),
    ("replica", "PSYNC ? -1"), ("sentinel", "SLAVEOF a 1"), ("sentinel", "CONFIG REWRITE"),
]  # fmt: skip


def test_each_may_do_its_own_work_only(guarded: Guarded) -> None:
    assert [case for case in REFUSED if guarded.may(case[0], *case[1].split())] == []
    assert [case for case in PERMITTED if not guarded.may(case[0], *case[1].split())] == []


def test_every_key_of_the_store_has_somebody_who_may_write_it_and_the_worker_all(guarded: Guarded) -> None:
    documented = (REDIS.parents[1] / "docs" / "redis.md").read_text()
    names: list[str] = re.findall(r"^\| `(sw:[^`]+)`", documented, re.MULTILINE)
    assert len(names) > 40
    for name in names:
        key = name.replace("{LANG}", "{en}")
        assert guarded.may("worker", "DEL", key) and guarded.may("admin", "DEL", key), key
        assert guarded.may("web", "EXISTS", key), f"the page shows all: {key}"


def sent(*programs: Path, clients: str = "") -> set[str]:
    """The commands that scripts of these folders call, and those whose methods are called there, of anything or of
    variables with these names."""
    scripts, modules = (" ".join(f.read_text() for each in programs for f in each.rglob(k)) for k in ("*.lua", "*.py"))
    called = {name.lower() for name in re.findall(r"redis\.p?call\('(\w+)'", scripts)}
    named = {re.sub("_iter$", "", name) for name in re.findall(rf"{clients}\.(\w+)\(", modules)}
    return called | {"del" if name == "delete" else name for name in named if hasattr(redis.Redis, name)}


def test_who_does_everything_may_send_every_command_that_the_store_has() -> None:
    """And each process its own: in all tests they come to their servers as these users (tests/users.py)."""
    ours = sent(WORKER / "store", clients="(?:redis|pipe|pipeline)") | {"zrevrange"}
    ours -= {"pipeline", "register_script", "bgrewriteaof"}
    assert len(ours) > 50
    for user in ("worker", "admin"):
        assert sorted(name for name in ours if f"+{name}" not in rules(user)) == [], user


@pytest.mark.parametrize("user", OURS)
def test_nobody_may_send_what_nothing_sends(user: str) -> None:
    """Neither Storywire nor RQ; or redis-py by itself, for its pipelines, scripts, Clusters and `zrange(desc=True)`."""
    its_own = {"evalsha", "script|load", "script|exists", "multi", "exec", "discard", "watch", "unwatch", "zrevrange"}
    its_own |= {"cluster|slots", "asking", "wait"}
    granted = {rule[1:] for rule in rules(user) if rule.startswith("+") and "@" not in rule}
    assert sorted(granted - its_own - sent(WORKER, Path(rq.__file__).parent)) == []


def ask(place: str, path: str, body: Any = None) -> Any:
    """What the site answers to the editor: JSON, or the text of a page."""
    headers = {"Authorization": f"Bearer {TOKEN}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    try:
        with urlopen(Request(f"http://{place}{path}", data, headers), timeout=20) as answer:
            text = answer.read().decode()
            return json.loads(text) if "json" in answer.headers["content-type"] else text
    except HTTPError as error:
        raise AssertionError(f"{path}: {error.code} {error.read().decode()}") from error


class Scene:
    """A site with a feed of a hub's and a feed of summaries, and all processes, each as its own user."""

    def __init__(self, guarded: Guarded, site: FeedServer, hub: Hub, folder: Path, receiver: str) -> None:
        self.guarded, self._site, self._hub = guarded, site, hub
        self._place = f"127.0.0.1:{free_port()}"
        site.routes["/feed"] = page(document(site, hub, "/feed", "one", "two", "three"), content_type="text/xml")
        entry = rss(("p", TITLE, SUMMARY)).replace("https://example.org/p", site.url("/page"))
        site.routes["/summaries"] = page(entry, content_type="text/xml")
        site.routes["/page"], site.routes["/robots.txt"] = page(classic().body, content_type="text/html"), page("", 404)
        rules = folder / "rules.toml"
        rules.write_text(RULE.format(receiver))
        self._settings = {
            "listen": self._place, "public_url": f"http://{self._place}", "token": TOKEN, "pages": "auto",
            "alerts": str(rules), "data_dir": str(folder / "none"), "log_format": "json",
        }  # fmt: skip

    def start(self, stack: ExitStack) -> list[Any]:
        """The processes; the page last, as it looks for feeds with hubs when it starts, and then once a minute."""
        self.by_hand("feeds", "add", self._site.url("/feed"), self._site.url("/summaries"))
        started = [self._started(stack, command) for command in ("poll", "pages", "work")]
        eventually(lambda: len(self.names()) == 4, 40, lambda: f"articles: {self.names()} {self.guarded.refusals()}")
        assert self._site.asked("/page"), "the page of the summary was not read"
        return [*started, self._started(stack, "serve")]

    def _started(self, stack: ExitStack, command: str) -> Any:
        settings = self._settings | self.guarded.settings(command)
        return stack.enter_context(running(command, **settings))[0]

    def by_hand(self, *words: str, given: str = "") -> str:
        """A command as `admin`; it must succeed."""
        done = here(*words, given=given, **self.guarded.settings(), **self._settings)
        assert done.returncode == 0, f"{words}: {done.stdout} {done.stderr}"
        return done.stdout

    def stories(self) -> list[dict[str, Any]]:
        """As the report has them."""
        return [json.loads(line) for line in self.by_hand("report", "--json", "--members").splitlines()]

    def stories_come(self) -> None:
        """What a hub pushes is clustered too."""
        form = forms(self._hub, 1)[self._site.url("/feed")]
        news = document(self._site, self._hub, "/feed", "four").replace(TEXT, OTHER)
        assert self._hub.push(form, news, tries=5) == 202
        eventually(lambda: len(self.names()) == 5, 40, lambda: f"articles: {self.names()} {self.guarded.refusals()}")

    def the_editor_corrects(self) -> None:
        """Each page is looked at, and each correction made over HTTP."""
        for path in ("/", "/feeds", "/status", "/metrics", "/stories.atom", "/api/v1/status", "/api/v1/feeds"):
            ask(self._place, path)
        ask(self._place, "/api/v1/similar", {"title": "Report three", "text": TEXT})
        story = next(each for each in self.stories() if len(each["members"]) > 2)
        first, second, *_, last = (member["id"] for member in story["members"])
        ask(self._place, f"/stories/{story['story']}")
        taken = ask(self._place, f"/api/v1/stories/{story['story']}/split", {"articles": [last]})
        merged = ask(self._place, f"/api/v1/stories/{taken['stories'][1]}/merge", {"with": [taken["stories"][0]]})
        ask(self._place, f"/api/v1/corrections/{merged['correction']}/undo", {})
        ask(self._place, f"/api/v1/stories/{story['story']}/pin", {"article": second})
        ask(self._place, f"/api/v1/articles/{quote(first, safe='')}/forget", {})
        assert first not in self.names()

    def commands_by_hand(self) -> None:
        """Every command that a person gives, as `admin`."""
        for words in (
            "check",
            "check --all --json",
            "feeds list",
            "quarantine list",
            "alerts list",
            "story corrections",
        ):
            here(*words.split(), **self.guarded.settings(), **self._settings)
        story = self.stories()[0]["story"]
        feeds = [json.loads(line)["id"] for line in self.by_hand("feeds", "list", "--json").splitlines()]
        self.by_hand("story", "show", story)
        self.by_hand("feeds", "show", feeds[0])
        for change in ("pause", "resume", "poll"):
            self.by_hand("feeds", change, feeds[0])
        self.by_hand("feeds", "export")
        a, b, *_ = self.names()
        self.by_hand("explain", a, b)
        self.by_hand("story", "pin", a)
        self.by_hand("forget", b, "--yes")
        self.by_hand("feeds", "remove", feeds[1])
        assert b not in self.names()

    def names(self) -> list[str]:
        """The ids of all clustered articles."""
        return [member["id"] for story in self.stories() for member in story["members"]]


@contextmanager
def all_at_work(guarded: Guarded, folder: Path) -> Iterator[Scene]:
    """All processes, people and commands have done all that they do; after the block the processes end when they are
    asked to, and nobody was refused anything."""
    with ExitStack() as stack:
        site, hub = stack.enter_context(FeedServer()), stack.enter_context(Hub())
        receiver = stack.enter_context(receiving())
        scene = Scene(guarded, site, hub, folder, receiver.url)
        processes = scene.start(stack)
        scene.stories_come()
        eventually(lambda: receiver.got, 20, "no alert came")
        scene.the_editor_corrects()
        scene.commands_by_hand()
        yield scene
        for process in processes:
            process.send_signal(signal.SIGTERM)
        assert [process.wait(20) for process in processes] == [0, 0, 0, 0]
        assert guarded.refusals() == set()


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_all_processes_do_all_their_work_as_their_users(kind: str, tmp_path: Path) -> None:
    """Feeds, a hub, a page that is read, alerts, an editor and commands by hand: nothing is refused."""
    with closing(Guarded(kind)) as guarded, all_at_work(guarded, tmp_path):
        pass
