"""Texts written for the tests of report and explain: a report, its copy, its rewrite, and another report."""

from worker.model import Article

NOW = 1_800_000_000.0

BRIDGE = """Harbour bridge in Marlow closed after freighter strikes a pillar

The harbour bridge in Marlow was closed to all traffic on Tuesday morning after the freighter Ostrava struck
one of its pillars in thick fog. Two sailors were slightly hurt and taken to the hospital in Wexcombe, the
coast guard said. Divers will inspect the foundations before the bridge can be opened again, which engineers
expect on Friday at the earliest. Until then the ferry company is running three more boats every hour, and
commuters have been asked to take the tunnel at Brightwater. The captain told investigators that the rudder
had failed two minutes before the collision. Harbour master Ilse Renner said that the fog had been so thick
that the tug boats could not see the freighter from forty metres away."""

BRIDGE_COPY = BRIDGE.replace("closed after freighter strikes a pillar", "shut as freighter hits pillar")

BRIDGE_REWRITE = """Freighter rams Marlow harbour bridge in fog

Marlow's harbour bridge was shut to all traffic on Tuesday morning after the freighter Ostrava hit one of its
pillars in thick fog. Two sailors were slightly injured and taken to the hospital in Wexcombe, according to
the coast guard. Divers will inspect the foundations before the bridge can open again, which engineers believe
will be on Friday at the earliest. Until then the ferry company is putting on three more boats an hour, and
commuters were told to take the tunnel at Brightwater. The captain told the police that the rudder had failed
two minutes before the collision. According to harbour master Ilse Renner, the fog was so thick that tug boats
could not see the freighter from forty metres."""

ORCHARD = """Late frost ruins cherry harvest in the Linden valley

Growers in the Linden valley expect to lose two thirds of this year's cherries after three nights of frost in
the middle of the blossom. Candles and sprinklers saved some orchards on the southern slopes, said Tomas Havel
of the fruit growers' union, but the trees near the river were hit hard. The regional parliament will talk
about aid next week. Insurance covers hail, not frost."""


def article(
    name: str, text: str, source: str, published: float, *, lang: str = "en", backfill: bool = False
) -> Article:
    """An article of one of these texts: the headline is its first line."""
    headline, _, body = text.partition("\n")
    return Article(
        id=name,
        title=headline,
        text=body.strip(),
        source=source,
        lang=lang,
        published=published,
        received=published,
        backfill=backfill,
    )
