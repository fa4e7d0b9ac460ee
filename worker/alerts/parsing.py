"""The file of rules, from TOML to rules.

Invariant: `parse` is pure, and refuses what it does not know, with the line it stands in: a mistyped rule is never one
that is silently about something else. What names a secret is not in any message.
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any
from urllib.parse import urlsplit

from worker.alerts.lines import lines_of
from worker.alerts.rules import MOST_TARGETS, Rule, Rules, Service, Target, Webhook
from worker.config import duration
from worker.errors import BadSetting
from worker.model import UNDETERMINED
from worker.text import language

_MOST_RULES, _MOST_WORDS = 200, 200
_LONGEST = 200
_LEAST_SECRET = 16
_WORDS = ("any", "all", "none", "lang", "outlet")
_OF_A_RULE = ("name", *_WORDS, "outlets", "within", "to")
_OF_A_TARGET = ("url", "secret", "apprise")
_LONGEST_WITHIN_S = 30 * 86_400.0


def parse(text: str, environ: Mapping[str, str], name: str = "rules") -> Rules:
    """The rules of a text in TOML. environ: what `${NAME}` in addresses and secrets stands for; name: the file's, for
    messages. Raises BadSetting."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadSetting(f"{name}: {_syntax(str(error))}") from None
    return _Reading(text, environ, name).all(document)


def _is_web(url: str) -> bool:
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and url.isascii() and " " not in url
    except ValueError:
        return False


def _syntax(said: str) -> str:
    """`line 3: expected '=' after a key`, of what tomllib says."""
    found = re.fullmatch(r"(.*?)\(at (?:line (\d+), column \d+|end of document)\)", said, re.DOTALL)
    if not found:
        return said
    where = f"line {found[2]}" if found[2] else "at its end"
    return f"{where}: is no TOML: {found[1].strip().lower()}"


_SHORT = (
    f"the `secret` of target {{!r}} is shorter than {_LEAST_SECRET} characters: make one with `openssl rand -hex 24`"
)


class _Reading:
    """One file on its way from TOML to rules."""

    def __init__(self, text: str, environ: Mapping[str, str], name: str) -> None:
        self._lines, self._environ, self._name = lines_of(text), environ, name

    def all(self, document: Mapping[str, Any]) -> Rules:
        self._known(document, ("rule", "to"), ())
        targets = self._table(document.get("to", {}), ("to",))
        rules = document.get("rule", [])
        if not isinstance(rules, list) or not rules:
            raise self._bad(("rule",), "has no rule: write [[rule]] above each")
        if len(rules) > _MOST_RULES or len(targets) > MOST_TARGETS:
            raise self._bad((), f"has more than {_MOST_RULES} rules or {MOST_TARGETS} targets")
        reached = {name: self._targets(name, self._table(each, ("to", name))) for name, each in targets.items()}
        read = tuple(self._rule(self._table(rule, ("rule", place)), place, reached) for place, rule in enumerate(rules))
        for place, rule in enumerate(read):
            if rule.name in {other.name for other in read[:place]}:
                raise self._bad(("rule", place, "name"), f"name {rule.name!r} is another rule's: give each its own")
        return Rules(read, reached)

    def _rule(self, given: Mapping[str, Any], place: int, targets: Iterable[str]) -> Rule:
        here = ("rule", place)
        self._known(given, _OF_A_RULE, here)
        name = given.get("name")
        if not isinstance(name, str) or not re.fullmatch(r"[\w][\w .,:/+-]{0,59}", name):
            raise self._bad((*here, "name"), "each rule takes a name of up to 60 letters, digits and spaces")
        to = self._texts(given, "to", here)
        if not to:
            raise self._bad(here, f'rule {name!r} has no `to`: name a target, like to = ["desk"]')
        if missing := [each for each in to if each not in targets]:
            raise self._bad((*here, "to"), f"there is no target {missing[0]!r}: add [to.{missing[0]}] with its url")
        rule = Rule(
            name,
            to,
            **{key: self._texts(given, key, here) for key in _WORDS if key != "lang"},
            lang=self._langs(given, here),
            outlets=self._outlets(given, here),
            within_s=self._within(given, here),
        )
        if rule.within_s is not None and rule.outlets < 2:
            raise self._bad((*here, "within"), "`within` is about the outlets: add outlets = 2 or more")
        if not (rule.any or rule.all or rule.lang or rule.outlet or rule.outlets > 1):
            raise self._bad(here, f"rule {name!r} is about every story: add any, all, lang, outlet, or outlets = 2")
        return rule

    def _targets(self, name: str, given: Mapping[str, Any]) -> tuple[Target, ...]:
        here = ("to", name)
        self._known(given, _OF_A_TARGET, here)
        if ("url" in given) == ("apprise" in given):
            raise self._bad(here, f"target {name!r} takes either `url`, a webhook, or `apprise`")
        if "apprise" in given:
            if "secret" in given:
                raise self._bad((*here, "secret"), "`secret` goes with `url`: an Apprise address holds its own")
            addresses = self._texts(given, "apprise", here)
            if not addresses:
                raise self._bad((*here, "apprise"), "write one or more Apprise addresses")
            return tuple(Service(self._filled(each, (*here, "apprise"))) for each in addresses)
        url, secret = (self._filled(self._text(given, key, here), (*here, key)) for key in ("url", "secret"))
        if not _is_web(url):
            raise self._bad((*here, "url"), "write an address that begins with https:// or http://")
        if secret and len(secret) < _LEAST_SECRET:
            raise self._bad((*here, "secret"), _SHORT.format(name))
        return (Webhook(url, secret),)

    def _filled(self, text: str, here: tuple[str | int, ...]) -> str:
        """With the values of the environment in the places of their names."""

        def value(found: re.Match[str]) -> str:
            if given := self._environ.get(found[1], ""):
                return given
            raise self._bad(here, f"${{{found[1]}}} is not set: set {found[1]} in the environment of `serve`")

        return re.sub(r"\$\{([A-Za-z_][A-Za-z0-9_]*)\}", value, text)

    def _outlets(self, given: Mapping[str, Any], here: tuple[str | int, ...]) -> int:
        count = given.get("outlets", 1)
        if not isinstance(count, int) or isinstance(count, bool) or not 1 <= count <= 10_000:
            raise self._bad((*here, "outlets"), "`outlets` is a number from 1; names of outlets go into `outlet`")
        return count

    def _within(self, given: Mapping[str, Any], here: tuple[str | int, ...]) -> float | None:
        if "within" not in given:
            return None
        try:
            seconds = duration(str(given["within"]))
        except ValueError:
            seconds = 0.0
        if not 0 < seconds <= _LONGEST_WITHIN_S:
            raise self._bad((*here, "within"), 'write a duration up to 30 days, like within = "2h"')
        return seconds

    def _texts(self, given: Mapping[str, Any], key: str, here: tuple[str | int, ...]) -> tuple[str, ...]:
        """One text, or a list of them."""
        found = given.get(key, [])
        found = [found] if isinstance(found, str) else found
        if not isinstance(found, list) or not all(isinstance(each, str) and each.strip() for each in found):
            raise self._bad((*here, key), f'`{key}` is a text or a list of texts, like {key} = ["...", "..."]')
        if len(found) > _MOST_WORDS or (key in _WORDS and any(len(each) > _LONGEST for each in found)):
            raise self._bad((*here, key), f"`{key}` takes up to {_MOST_WORDS} texts of {_LONGEST} characters")
        if key in ("any", "all", "none") and any(not re.search(r"\w", each) for each in found):
            raise self._bad((*here, key), f"`{key}` has a word without a letter")
        if key in ("any", "all", "none") and any("*" in each.strip()[:-1] for each in found):
            raise self._bad((*here, key), "`*` stands for the rest of a word: write it at the end, like flood*")
        return tuple(each.strip() for each in found)

    def _langs(self, given: Mapping[str, Any], here: tuple[str | int, ...]) -> tuple[str, ...]:
        """Codes as stories have them: `en` for `en-US`, `no` for `nb`."""
        stated = self._texts(given, "lang", here)
        codes = {each: language(each, "") for each in stated}
        if unknown := [each for each, code in codes.items() if code == UNDETERMINED != each]:
            said = f'`lang` takes codes of languages, like lang = ["en", "de"]; {unknown[0]!r} is none of ours'
            raise self._bad((*here, "lang"), said)
        return tuple(dict.fromkeys(codes.values()))

    def _text(self, given: Mapping[str, Any], key: str, here: tuple[str | int, ...]) -> str:
        found = given.get(key, "")
        if not isinstance(found, str):
            raise self._bad((*here, key), f"`{key}` is a text: put it in quotes")
        return found.strip()

    def _table(self, given: object, here: tuple[str | int, ...]) -> Mapping[str, Any]:
        if not isinstance(given, dict):
            raise self._bad(here, "write [[rule]] above each rule and [to.NAME] above each target")
        return given

    def _known(self, given: Mapping[str, Any], names: tuple[str, ...], here: tuple[str | int, ...]) -> None:
        for name in given:
            if name not in names:
                close = get_close_matches(name, names, 1)
                meant = f"did you mean `{close[0]}`?" if close else f"write one of {', '.join(names)}"
                raise self._bad((*here, name), f"`{name[:40]}` is not known here: {meant}")

    def _bad(self, here: tuple[str | int, ...], said: str) -> BadSetting:
        """The error of a place: the line of its key, or of the table that it is in."""
        while here and here not in self._lines:
            here = here[:-1]
        where = f"line {self._lines[here]}: " if here in self._lines else ""
        return BadSetting(f"{self._name}: {where}{said}")
