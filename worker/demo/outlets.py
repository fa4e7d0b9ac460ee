"""The outlets of the newsroom: what each is called, how it writes, how its feed is served.

Invariant: ids are unique and stand in URLs; each language has one wire that the others copy from.
"""

from typing import Literal, NamedTuple


class Outlet(NamedTuple):
    """An outlet. `habit`: how often it reports, copies and rewrites. `length`: sentences of a usual report."""

    id: str
    name: str
    lang: str
    feed: Literal["rss", "atom", "rdf"]
    headline: Literal["plain", "capitals", "shout", "place"]
    habit: tuple[float, float, float]
    length: int
    manner: Literal["prompt", "slow", "broken"] = "prompt"
    wire: bool = False


OUTLETS = (
    Outlet("lantern", "Lantern Wire", "en", "rss", "plain", (1, 0, 0), 12, wire=True),
    Outlet("herald", "The Capital Herald", "en", "rss", "capitals", (1, 0.1, 0), 17),
    Outlet("compass", "The Brass Compass", "en", "atom", "plain", (1, 0.1, 0.1), 15),
    Outlet("ledger", "Ledger & Quay", "en", "rss", "plain", (1, 0.2, 0.2), 13),
    Outlet("kettle", "The Evening Kettle", "en", "rss", "place", (0.6, 0.5, 0.4), 11),
    Outlet("nine", "Channel Nine and a Half", "en", "atom", "plain", (1, 0, 0.3), 9),
    Outlet("bugbear", "Daily Bugbear", "en", "rss", "shout", (0.2, 0.1, 1), 10),
    Outlet("whoosh", "Whoosh!", "en", "rss", "shout", (0.1, 0.2, 1), 8, manner="broken"),
    Outlet("gazette", "Marsh & Moor Gazette", "en", "rdf", "place", (0.3, 1, 0.1), 12),
    Outlet("secondcup", "The Second Cup", "en", "atom", "plain", (0, 1, 0.7), 8, manner="slow"),
    Outlet("farol", "Agencia Farol", "es", "rss", "plain", (1, 0, 0), 12, wire=True),
    Outlet("naranjo", "Radio Naranjo", "es", "atom", "plain", (1, 0.6, 0.6), 11),
    Outlet("laterne", "Laternendienst", "de", "rss", "plain", (1, 0, 0), 12, wire=True),
    Outlet("giebel", "Neue Giebelzeitung", "de", "rss", "plain", (1, 0.6, 0.6), 11),
)
