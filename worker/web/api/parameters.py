"""The parameters that operations share: of lists (web/asking.py reads them), and the names of things.

Invariant: what a schema here lets pass, is taken.
"""

import re
from collections.abc import Iterable

from worker.errors import BadInput
from worker.report.board import SORTS
from worker.web.api.answers import shown
from worker.web.api.operation import Operation, Parameter
from worker.web.asking import LIMIT, MOST, cut

_WHOLE = re.compile("[0-9]{1,9}")

_TEXT = {"type": "string", "minLength": 1}
_MAY_BE_EMPTY = {"type": "string"}

STORY = Parameter("story", "A story's id.", {**_TEXT, "maxLength": 40, "examples": ["en-7f3k"]}, "path", True)
ARTICLE = Parameter(
    "article", "An article's id, each `/` in it as `%2F` or as it is.", {**_TEXT, "maxLength": 1_000}, "path", True
)
FEED = Parameter("feed", "A feed's id.", {"type": "string", "pattern": "^[0-9a-f]{12}$"}, "path", True)
CORRECTION = Parameter(
    "correction", "A correction's name.", {**_TEXT, "maxLength": 40, "examples": ["en.3"]}, "path", True
)

WORDS = Parameter(
    "q", "Words, each of which begins a word of one of its headlines.", {**_MAY_BE_EMPTY, "maxLength": 200}
)
FILTER = (
    Parameter("lang", "A language, ISO 639.", {**_MAY_BE_EMPTY, "maxLength": 12, "examples": ["en"]}),
    Parameter(
        "outlet",
        "An outlet's domain, or words of its name.",
        {**_MAY_BE_EMPTY, "maxLength": 200, "examples": ["example.org"]},
    ),
    Parameter("outlets", "At least so many outlets.", {"type": "integer", "minimum": 1, "maximum": 1_000_000}),
    Parameter(
        "since",
        "Whose last article is not older than this, by event time.",
        {"type": "string", "pattern": "^([1-9][0-9]{0,2}d|[1-9][0-9]{0,3}[hms])?$", "examples": ["6h", "2d"]},
    ),
    WORDS,
)
LISTED = (
    *FILTER,
    Parameter("sort", "Hottest, most recently begun, or most articles first.", {"type": "string", "enum": list(SORTS)}),
    Parameter("limit", "So many at most.", {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT}),
    Parameter("after", "`next` of the page before.", {**_MAY_BE_EMPTY, "maxLength": 2_000}),
)


def check(of: Operation, given: Iterable[tuple[str, str]]) -> None:
    """Raises BadInput for a query that the operation does not take: a name that it does not have, one given twice, or a
    value that is not written as its schema says. How large it may be is for who reads it. An empty value is as none, as
    forms send what was not filled in."""
    seen = set[str]()
    takes = {each.name: each for each in of.parameters if each.where == "query"}
    for name, value in given:
        if name not in takes:
            which = f"it takes {', '.join(sorted(takes))}" if takes else "it takes none"
            raise BadInput(f"{shown(name)} is no parameter of {of.method} /api{of.path}: {which}")
        if name in seen:
            raise BadInput(f"{name}: is given twice: give it once")
        seen.add(name)
        if not value and takes[name].required:
            raise BadInput(f"{name}: is empty: give it a value")
        if value and (remedy := _remedy(takes[name], value)):
            raise BadInput(f"{name}={cut(value)}: {remedy}")


def _remedy(of: Parameter, value: str) -> str:
    """What to write in place of a value, "" where it may be right."""
    if "enum" in of.schema and value not in of.schema["enum"]:
        return f"write one of {', '.join(of.schema['enum'])}"
    if of.schema["type"] == "integer" and not _WHOLE.fullmatch(value):
        return f"write a whole number from {of.schema['minimum']} to {of.schema['maximum']}"
    if "pattern" in of.schema and not re.fullmatch(of.schema["pattern"], value):
        examples = of.schema.get("examples")
        return f"write it like {' or '.join(examples)}" if examples else f"write what matches {of.schema['pattern']}"
    return ""
