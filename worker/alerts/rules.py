"""Rules: which stories are told of, and where to.

Invariant: a secret shows in no repr.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b

MOST_TARGETS = 50


@dataclass(frozen=True)
class Webhook:
    """An address that is posted to; `secret`: what the signature is made with, "" for none."""

    url: str = field(repr=False)
    secret: str = field(repr=False, default="")


@dataclass(frozen=True)
class Service:
    """What Apprise speaks to, by its address, which holds the secrets."""

    address: str = field(repr=False)


Target = Webhook | Service


@dataclass(frozen=True)
class Rule:
    """Which stories: words of headlines (`any`, `all`, `none`), languages, outlets of which one is among them, at least
    so many outlets, within so many seconds of each other (None: ever). `to`: names of targets."""

    name: str
    to: tuple[str, ...]
    any: tuple[str, ...] = ()
    all: tuple[str, ...] = ()
    none: tuple[str, ...] = ()
    lang: tuple[str, ...] = ()
    outlet: tuple[str, ...] = ()
    outlets: int = 1
    within_s: float | None = None

    @property
    def digest(self) -> str:
        """Stands for what the rule is about, wherever it is sent to."""
        about = (self.any, self.all, self.none, self.lang, self.outlet, self.outlets, self.within_s)
        return blake2b(repr(about).encode(errors="replace"), digest_size=8).hexdigest()


@dataclass(frozen=True)
class Rules:
    """A file: `targets` by name, each one webhook or one or more services."""

    rules: tuple[Rule, ...] = ()
    targets: Mapping[str, tuple[Target, ...]] = field(default_factory=dict)

    def get(self, name: str) -> Rule | None:
        """The rule of a name."""
        return next((rule for rule in self.rules if rule.name == name), None)
