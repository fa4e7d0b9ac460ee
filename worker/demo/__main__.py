"""`python -m worker.demo --count 2000 --seed 1`: the newsroom's articles as JSON Lines for `storywire replay`.

Each line has the truth besides: `story`, `relation`, `of`. Revisions are left out: a file has each id once.
"""

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from itertools import islice

from msgspec.json import encode

from worker.demo.newsroom import Newsroom, Published


def line(article: Published) -> bytes:
    """One object a line, in the form that `replay` and `import` read."""
    published = datetime.fromtimestamp(article.published, UTC).isoformat(timespec="milliseconds")
    return encode(
        {
            "id": article.id,
            "url": article.url,
            "title": article.title,
            "text": article.text,
            "published": published.replace("+00:00", "Z"),
            "source": article.outlet,
            "lang": article.lang,
            "story": article.story,
            "relation": article.relation,
            "of": article.of or None,
        }
    )


def articles(seed: int, count: int, per_hour: float = 60.0) -> Iterator[Published]:
    """The first so many articles of a newsroom, without revisions."""
    stream = Newsroom(seed, per_hour=per_hour).articles()
    return islice((article for article in stream if article.revision == 1), count)


def main() -> None:
    """Write the lines to standard output."""
    parser = argparse.ArgumentParser(prog="python -m worker.demo", description=__doc__)
    parser.add_argument("--count", type=int, default=1000, help="how many articles (default 1000)")
    parser.add_argument("--seed", type=int, default=1, help="the same seed writes the same articles (default 1)")
    parser.add_argument("--per-hour", type=float, default=60.0, help="articles an hour of simulated time (default 60)")
    options = parser.parse_args()
    for article in articles(options.seed, options.count, options.per_hour):
        sys.stdout.buffer.write(line(article) + b"\n")


if __name__ == "__main__":
    main()
