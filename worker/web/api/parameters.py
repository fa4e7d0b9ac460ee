"""The parameters that operations share: of lists (web/asking.py reads them), and the names of things.

Invariant: what a schema here lets pass, is taken.
"""

from worker.report.board import SORTS
from worker.web.api.operation import Parameter
from worker.web.asking import LIMIT, MOST

_TEXT = {"type": "string", "minLength": 1}

STORY = Parameter("story", "A story's id.", {**_TEXT, "maxLength": 40, "examples": ["en-7f3k"]}, "path", True)
ARTICLE = Parameter(
    "article", "An article's id, each `/` in it as `%2F` or as it is.", {**_TEXT, "maxLength": 1_000}, "path", True
)
FEED = Parameter("feed", "A feed's id.", {"type": "string", "pattern": "^[0-9a-f]{12}$"}, "path", True)
CORRECTION = Parameter(
    "correction", "A correction's name.", {**_TEXT, "maxLength": 40, "examples": ["en.3"]}, "path", True
)

WORDS = Parameter("q", "Words, each of which begins a word of one of its headlines.", {**_TEXT, "maxLength": 200})
FILTER = (
    Parameter("lang", "A language, ISO 639.", {**_TEXT, "maxLength": 12, "examples": ["en"]}),
    Parameter("outlet", "An outlet's domain, or its name.", {**_TEXT, "maxLength": 200, "examples": ["example.org"]}),
    Parameter("outlets", "At least so many outlets.", {"type": "integer", "minimum": 1, "maximum": 1_000_000}),
    Parameter(
        "since",
        "Whose last article is not older than this, by event time.",
        {"type": "string", "pattern": "^([1-9][0-9]{0,2}d|[1-9][0-9]{0,3}[hms])$", "examples": ["6h", "2d"]},
    ),
    WORDS,
)
LISTED = (
    *FILTER,
    Parameter("sort", "Hottest, most recently begun, or most articles first.", {"type": "string", "enum": list(SORTS)}),
    Parameter("limit", "So many at most.", {"type": "integer", "minimum": 1, "maximum": MOST, "default": LIMIT}),
    Parameter("after", "`next` of the page before.", {**_TEXT, "maxLength": 2_000}),
)
