"""Parsing a changed feed: the whole of it, against feedparser's defaults on the same bytes in the same run.

`pytest -m slow tests/bench/test_parse_rate.py`. Processor time of this process, the least of many runs, in turns.
"""

import io
import sys
from collections.abc import Callable
from html import escape
from time import process_time

import feedparser
import pytest

from worker.demo.__main__ import articles
from worker.feed.parse import State, parse
from worker.text import clean

URL = "https://news.example/feed"
ENTRIES = 25
WORDS = 500


def full_feed() -> bytes:
    """25 entries with their full text as a publishing system writes them: paragraphs, links, a picture, categories."""
    told = list(articles(7, 400))
    items = []
    for number in range(ENTRIES):
        words = " ".join(told[(number * 7 + n) % len(told)].text for n in range(30)).split()[: WORDS + 40]
        paragraphs = [words[start : start + 45] for start in range(0, len(words) - 9, 45)]
        for paragraph in paragraphs:
            paragraph[3] = f'<a href="https://news.example/tag/{number}?a=1&amp;b=2" rel="nofollow">{paragraph[3]}</a>'
            paragraph[7] = f"<em>{paragraph[7]}</em>"
        picture = '<figure class="wide"><img src="/p.jpg" alt="A bridge"/><figcaption>It</figcaption></figure>'
        content = "".join(f"<p>{' '.join(paragraph)}</p>\n" for paragraph in paragraphs) + picture
        items.append(
            f"<item><title>{escape(told[number].title)}</title><link>https://news.example/{number}/</link>"
            f"<dc:creator>Reporter</dc:creator><pubDate>Mon, 16 Mar 2026 {number % 24:02}:10:00 +0000</pubDate>"
            f"<category><![CDATA[News]]></category><category><![CDATA[Local]]></category>"
            f'<guid isPermaLink="false">https://news.example/?p={number}</guid><comments>https://news.example/c</comments>'
            f"<description><![CDATA[<p>{' '.join(words[:40])} [&#8230;]</p>]]></description>"
            f"<content:encoded><![CDATA[{content}]]></content:encoded></item>"
        )
    return (
        '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/" '
        'xmlns:content="http://purl.org/rss/1.0/modules/content/"><channel><title>News</title>'
        f"<link>https://news.example/</link>{''.join(items)}</channel></rss>"
    ).encode()


def least_ms(*calls: Callable[[], object], runs: int = 20) -> list[float]:
    """The least processor time of each call, in turns."""
    least = [float("inf")] * len(calls)
    for _ in range(runs):
        for place, call in enumerate(calls):
            began = process_time()
            call()
            least[place] = min(least[place], (process_time() - began) * 1000)
    return least


@pytest.mark.slow
def test_a_changed_feed_is_parsed_four_times_as_fast_as_by_feedparsers_defaults(
    capsys: pytest.CaptureFixture[str],
) -> None:
    body = full_feed()
    parsed = parse(body, URL, "")
    assert (parsed.state, len(parsed.entries)) == (State.OK, ENTRIES)
    assert all(len(entry.text.split()) >= WORDS for entry in parsed.entries)
    texts = [content["value"] for entry in feedparser.parse(io.BytesIO(body)).entries for content in entry.content]
    defaults, bare, ours, cleaning = least_ms(
        lambda: feedparser.parse(io.BytesIO(body)),
        lambda: feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False),
        lambda: parse(body, URL, ""),
        lambda: [clean(text) for text in texts],
    )
    with capsys.disabled():
        sys.stdout.write(
            f"\n  {len(body) // 1000} kB, {ENTRIES} entries: feedparser's defaults {defaults:.1f} ms, "
            f"without sanitising {bare:.1f} ms, ours {ours:.1f} ms (cleaning {cleaning:.1f}): "
            f"{defaults / ours:.1f} times as fast\n"
        )
    assert defaults > 4 * ours
