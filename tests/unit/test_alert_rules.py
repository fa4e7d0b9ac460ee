"""Rules of alerts: what a file may say, which stories a rule is about, how what is told is signed and tried."""

import hashlib
import hmac
import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from tests.command import ROOT
from worker.alerts.deliver import TRIES_S, Sent, next_try
from worker.alerts.file import RuleFile, read
from worker.alerts.match import why
from worker.alerts.message import Message, made_up, signed
from worker.alerts.parsing import parse
from worker.alerts.rules import Rule, Service, Webhook
from worker.errors import BadSetting
from worker.model import Fingerprints, Member
from worker.report.rows import folded, needles
from worker.store.alerts import Delivery

RULE = '[[rule]]\nname = "floods"\nany = ["flood*"]\nto = "desk"\n'
DESK = '[to.desk]\nurl = "https://desk.example.org/${PART}"\nsecret = "${SECRET}"\n'
ENVIRON = {"PART": "p4rt", "SECRET": "s" * 20, "MAIL": "mailtos://user:password@example.org"}
NOW = 1_800_000_000.0


def member(title: str, source: str = "Herald", *, at: float = 0.0, outlet: str = "", backfill: bool = False) -> Member:
    return Member(
        id=f"{source}.{at}",
        revision=1,
        title=title,
        url="",
        source=source,
        published=NOW + at,
        time=NOW + at,
        received=NOW + at,
        backfill=backfill,
        prints=Fingerprints(),
        outlet=outlet,
    )


def rule(**about: object) -> Rule:
    return Rule("r", ("desk",), **about)  # type: ignore[arg-type]


def test_a_file_is_read_with_its_secrets() -> None:
    """From the environment; and neither they nor addresses are in what is shown of them."""
    text = RULE + 'outlets = 5\nwithin = "2h"\nlang = "en"\n' + DESK + '[to.mail]\napprise = "${MAIL}"\n'
    rules = parse(text, ENVIRON)
    assert rules.rules == (Rule("floods", ("desk",), ("flood*",), lang=("en",), outlets=5, within_s=7200.0),)
    assert rules.targets["desk"] == (Webhook("https://desk.example.org/p4rt", "s" * 20),)
    assert rules.targets["mail"] == (Service(ENVIRON["MAIL"]),)
    assert not any(secret in repr(rules) for secret in (*ENVIRON.values(), "desk.example"))


BAD = {
    "no rule": (DESK, "has no rule"),
    "no TOML": (RULE + "outlets == 5", "line 5: is no TOML: invalid value"),
    "a mistyped key": (RULE + "outlet_s = 3\n" + DESK, "line 5: `outlet_s` is not known here: did you mean `outlets`?"),
    "a mistyped table": (RULE + DESK + "[tos.x]\n", "line 8: `tos` is not known here: did you mean `to`?"),
    "no such target": (RULE, "line 4: there is no target 'desk': add [to.desk] with its url"),
    "a name twice": (RULE + RULE + DESK, "line 6: name 'floods' is another rule's"),
    "a number as text": (RULE + 'outlets = "5"\n' + DESK, "line 5: `outlets` is a number"),
    "no number": (RULE + "outlets = 0\n" + DESK, "line 5: `outlets` is a number from 1"),
    "within alone": (RULE + 'within = "2h"\n' + DESK, "line 5: `within` is about the outlets"),
    "no duration": (RULE + 'outlets = 2\nwithin = "soon"\n' + DESK, "line 6: write a duration"),
    "about everything": ('[[rule]]\nname = "all"\nto = "desk"\n' + DESK, "line 1: rule 'all' is about every story"),
    "a word of signs": (RULE.replace("flood*", "*") + DESK, "line 3: `any` has a word without a letter"),
    "a star within": (RULE.replace("flood*", "*flood") + DESK, "line 3: `*` stands for the rest of a word"),
    "a star between": (RULE.replace("flood*", "dam* burst") + DESK, "line 3: `*` stands for the rest of a word"),
    "no code": (RULE + 'lang = "English"\n' + DESK, "line 5: `lang` takes codes of languages, like"),
    "no language": (RULE + 'lang = ["en", "xx"]\n' + DESK, "line 5: `lang` takes codes of languages, like"),
    "targets as a list": (RULE + DESK + '[[to.mail]]\napprise = "x"\n', "line 8: write [[rule]] above each rule"),
    "neither": (RULE + "[to.desk]\n", "line 5: target 'desk' takes either `url`, a webhook, or `apprise`"),
    "no web address": (RULE + '[to.desk]\nurl = "ftp://x"\n', "line 6: write an address that begins with https://"),
    "a short secret": (
        RULE + '[to.desk]\nurl = "https://x.org"\nsecret = "abc"\n',
        "line 7: the `secret` of target 'desk' is shorter",
    ),
    "an unset name": (RULE + DESK.replace("SECRET", "OTHER"), "line 7: ${OTHER} is not set: set OTHER"),
}


@pytest.mark.parametrize(("text", "said"), BAD.values(), ids=BAD)
def test_what_cannot_be_used_is_refused_with_its_line(text: str, said: str) -> None:
    with pytest.raises(BadSetting) as refused:
        parse(text, ENVIRON, "rules.toml")
    assert str(refused.value).startswith("rules.toml: ")
    assert said in str(refused.value)
    assert not any(secret in str(refused.value) for secret in ENVIRON.values())


def test_languages_are_named_as_stories_name_them() -> None:
    said = parse(RULE + 'lang = ["en-US", "EN", "nb", "und"]\n' + DESK, ENVIRON).rules[0].lang
    assert said == ("en", "no", "und")


def test_a_file_that_breaks_changes_nothing(tmp_path: Path) -> None:
    """It is said once; mended, it counts. One that is broken, or away, at the start is refused."""
    path = tmp_path / "rules.toml"
    with pytest.raises(BadSetting, match="no such file"):
        RuleFile(path, ENVIRON)
    path.write_text(RULE + DESK)
    file = RuleFile(path, ENVIRON)
    assert not file.reread()
    path.write_text(RULE + "broken" + DESK)
    with pytest.raises(BadSetting, match="line 5"):
        file.reread()
    assert not file.reread()
    assert file.rules.get("floods") is not None
    path.write_text(RULE.replace("floods", "mended") + DESK)
    assert file.reread()
    assert file.rules == read(path, ENVIRON)


WORDS = [
    (rule(any=("flood",)), "Flood in Ulm", True),
    (rule(any=("flood",)), "Dam broke: flood.", True),
    (rule(any=("flood",)), "The flood-hit city", True),
    (rule(any=("flood",)), "Flooding in Ulm", False),
    (rule(any=("flood*",)), "Flooding in Ulm", True),
    (rule(any=("flood*",)), "After the superflood", False),
    (rule(any=("central bank",)), "Central Bank raises rates", True),
    (rule(any=("central bank",)), "Central city bank", False),
    (rule(any=("müller",)), "MULLER resigns", True),
    (rule(any=("地震",)), "東京で地震が発生", True),
    (rule(all=("dam", "ulm")), "Dam above Ulm", True),
    (rule(all=("dam", "ulm")), "Dam above Bonn", False),
    (rule(any=("dam",), none=("beaver*",)), "Beavers build a dam", False),
    (rule(lang=("de",)), "Dam", False),
    (rule(outlet=("herald",)), "Dam", True),
    (rule(outlet=("herald.example",)), "Dam", True),
    (rule(outlet=("post",)), "Dam", False),
]


@pytest.mark.parametrize(("about", "title", "expected"), WORDS)
def test_words_languages_and_outlets(about: Rule, title: str, expected: bool) -> None:
    assert bool(why(about, "en", [member(title, outlet="herald.example")])) is expected


@pytest.mark.parametrize("word", ["地震", "𠮷", "ㄅㄆㄇ", "ꆈꌠ", "ແຜ່ນດິນ", "iphone発売", "发布iphone", "ﾃﾚﾋﾞ"])
def test_words_of_scripts_without_spaces_stand_anywhere(word: str) -> None:
    """In rules as in the search of the page."""
    title = f"東京{word}東京"
    assert why(rule(any=(word,)), "ja", [member(title)])
    assert all(needle in f" {folded(title)} " for needle in needles(word))
    assert not why(rule(any=("한국",)), "ko", [member("북한국경")]), "Korean has spaces"


def test_outlets_count_within_the_time() -> None:
    """Of those that are furthest together; one outlet twice is one; what a first fetch brought is none."""
    story = [member("Dam", source, at=3600.0 * hour) for hour, source in enumerate(["A", "B", "C", "A", "D"])]
    assert why(rule(outlets=4), "en", story) == "4 outlets: A, B, C, D"
    assert why(rule(outlets=3, within_s=7200.0), "en", story) == "3 outlets within 2 h: A, B, C"
    assert not why(rule(outlets=4, within_s=7200.0), "en", story)
    assert why(rule(outlets=4, within_s=10_800.0), "en", story), "B, C, A, D"
    old = [member("Dam", source, backfill=True) for source in "EFG"]
    assert not why(rule(outlets=5), "en", old + story)
    assert why(rule(outlets=5), "en", old + story, backfill=True)
    assert not why(rule(any=("dam",)), "en", old)


def test_a_signature_is_that_of_time_and_body() -> None:
    """As a receiver makes it, from the header and the bytes alone; without a secret there is none."""
    body = made_up("id-1", "floods", "https://x.org", NOW).body()
    headers = signed(body, "secret", "id-1", NOW)
    parts = dict(part.split("=") for part in headers["Storywire-Signature"].split(","))
    assert parts["t"] == "1800000000"
    assert parts["v1"] == hmac.new(b"secret", b"1800000000." + body, hashlib.sha256).hexdigest()
    assert headers["Storywire-Delivery"] == json.loads(body)["id"] == "id-1"
    assert json.loads(body)["test"] is True
    assert "Storywire-Signature" not in signed(body, "", "id-1", NOW)


def test_a_headline_commands_nothing() -> None:
    """In services that read mentions and markup."""
    plain = made_up("id", "floods", "https://x.org", NOW)
    message: Message = replace(
        plain, story=replace(plain.story, headline="@everyone <!channel> [x](http://evil)\x00\n\u202eb"), why="<@1>"
    )
    for text in (message.title(), message.text()):
        assert not any(sign in text for sign in ("@everyone", "<", ">", "[", "\x00", "\u202e"))
    assert "\n" not in message.title()


def test_waits_double_up_to_an_hour_and_end_after_a_day() -> None:
    def tried(attempts: int, at: float = 0.0, wait_s: float = 0.0, *, final: bool = False) -> float | None:
        delivery = Delivery("id", "r", "desk", 0, "en-1", NOW, attempts)
        found = next_try(delivery, Sent("no", wait_s, final), NOW + at, jitter=0.0)
        return None if found is None else found - NOW - at

    assert [tried(attempts) for attempts in (1, 2, 3, 10, 1000)] == [5.0, 10.0, 20.0, 2560.0, 3600.0]
    assert tried(1, wait_s=600.0) == 600.0, "what the server asks for"
    assert tried(1, wait_s=2.0) == 5.0
    assert tried(30, TRIES_S - 3600) == 3600.0
    assert tried(30, TRIES_S - 3599) is None
    assert tried(1, wait_s=30 * TRIES_S) == 6 * 3600.0, "a server that asks for a month is asked again on the same day"
    assert tried(9, TRIES_S - 7200, wait_s=TRIES_S) == 7200.0, "at the end of the day for the last time"
    assert tried(1, final=True) is None


@pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # of Apprise, by Python 3.11
def test_what_the_docs_show_works(monkeypatch: pytest.MonkeyPatch) -> None:
    """Their files are rules, with addresses that Apprise knows; their receiver knows our signature, and no other."""
    import apprise  # half a second

    blocks = re.findall(r"```(toml|python)\n(.*?)```", (ROOT / "docs/alerts.md").read_text(encoding="utf-8"), re.DOTALL)
    environ = {"DESK_SECRET": "s" * 20, "PHONE_URL": "ntfy://floods", "BOT_TOKEN": "123456789:" + "a" * 35}
    environ |= {"SLACK_WEBHOOK": f"https://hooks.slack.com/services/T{'A' * 8}/B{'A' * 8}/{'c' * 24}"}
    files = [parse(block, environ | {"MAIL_PASSWORD": "p%26ss%401"}) for kind, block in blocks if kind == "toml"]
    assert [rule.to for rules in files for rule in rules.rules] == [("desk", "phone"), ("slack", "telegram", "mail")]
    addresses = [
        each.address for rules in files for to in rules.targets.values() for each in to if isinstance(each, Service)
    ]
    spoken = [apprise.Apprise.instantiate(address) for address in addresses]
    assert [type(each).__name__ for each in spoken] == ["NotifyNtfy", "NotifySlack", "NotifyTelegram", "NotifyEmail"]
    mail = vars(spoken[-1])
    assert (mail["smtp_host"], mail["user"], mail["password"]) == ("smtp.example.org", "wire", "p&ss@1")
    names: dict[str, Any] = {"hmac": hmac, "time": time}
    exec(next(block for kind, block in blocks if kind == "python"), names)
    monkeypatch.setattr(time, "time", lambda: NOW + 5)
    header = signed(b"body", "secret", "id", NOW)["Storywire-Signature"]
    assert names["is_ours"](b"body", header, "secret") is True
    assert names["is_ours"](b"body", header, "another") is False
    assert names["is_ours"](b"bodies", header, "secret") is False
    assert (
        names["is_ours"](b"body", signed(b"body", "secret", "id", NOW - 600)["Storywire-Signature"], "secret") is False
    )
