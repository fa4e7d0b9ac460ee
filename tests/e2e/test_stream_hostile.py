"""Hostile news through the stream of changes: each is one event of one line, whatever its texts hold."""

from collections.abc import Iterator

import pytest
from msgspec import json

from tests.browser.hostile_news import text_of
from tests.e2e.listening import listening
from tests.e2e.site import RunningSite, article, fill, running_site, site_runtime
from worker.web.changes import message

LINES = {
    "Newlines": "Newlines\ndata: {}\n\nevent: gone\ndata: {\"story\": \"en-1\"}\n\n",
    "Returns": "Returns\r\rid: en:999999-0\r\rretry: 1\r\n\r\nevent: reset\ndata: {}",
    "Separators": "Separators\u2028data: {}\u2029\u2029event: gone\x85\x0b\x0c\x1c\x1d\x1e",
    "Nul": "Nul\x00 id: 0\x00\ufeff: comment",
    "Markup": "Markup </script><script>window.hacked=1</script> <!-- data: ]]>",
    "Escapes": "Escapes \\n\\ndata: \\u000a\\u000a \"}\n: heartbeat",
}  # fmt: skip


@pytest.fixture(scope="module")
def site(server_pool) -> Iterator[RunningSite]:  # type: ignore[no-untyped-def]
    """A site without stories."""
    with site_runtime(server_pool.url("valkey")) as runtime, running_site(runtime) as running:
        yield running


def test_each_hostile_story_is_one_event_with_its_texts_as_they_are(site: RunningSite) -> None:
    """Articles that no parser has cleaned: for who listens, and for who comes back and is told what it missed."""
    said = [article(f"herald/{name}", title, text_of(name)) for name, title in LINES.items()]
    with listening(f"{site.url}/api/v1/stream") as client:
        client.begun_at(site)
        fill(site.runtime, said)
        live = client.until(len(LINES))
    with listening(f"{site.url}/api/v1/stream", {"Last-Event-ID": "en:0-0"}) as again:
        missed = again.until(len(LINES))
    for heard in (live, missed):
        assert {each.event for each in heard} == {"story"}
        assert len(heard) == len(LINES), "no title made an event of its own"
        assert all(each.id == each.data["cursor"] for each in heard), "nor told another place to go on from"
        assert {each.data["headline"] for each in heard} == set(LINES.values())


@pytest.mark.parametrize("title", LINES.values(), ids=LINES)
def test_no_event_has_a_line_more_by_what_any_client_takes_for_a_line_end(title: str) -> None:
    """Python's `splitlines`, by which clients part streams, ends lines at U+0085 and U+2028 as well."""
    written = message("story", {"headline": title}, "en:1-0").decode()
    named, event, data, end = written.splitlines()
    assert (named, event, end) == ("id: en:1-0", "event: story", "")
    assert json.decode(data.removeprefix("data: ")) == {"headline": title}
