"""Where in a TOML file something stands, which tomllib does not tell.

Invariant: a hint for messages; what it does not recognise has no line.
"""

import re

_TABLE = re.compile(r"\s*(\[\[?)\s*([^\[\]#]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"\s*(?:\"([^\"]*)\"|([A-Za-z0-9_-]+))\s*=")


def lines_of(text: str) -> dict[tuple[str | int, ...], int]:
    """("rule", 0, "name") -> the line of the name of the first [[rule]], counted from 1; tables likewise."""
    found: dict[tuple[str | int, ...], int] = {}
    counts: dict[str, int] = {}
    here: tuple[str | int, ...] = ()
    for number, line in enumerate(text.splitlines(), 1):
        if table := _TABLE.match(line):
            name = table[2]
            here = tuple(part.strip().strip('"') for part in name.split("."))
            if table[1] == "[[":
                here = (*here, counts.get(name, 0))
                counts[name] = counts.get(name, 0) + 1
            for end in range(1, len(here) + 1):
                found.setdefault(here[:end], number)
        elif key := _KEY.match(line):
            found.setdefault((*here, key[1] or key[2]), number)
    return found
