"""`storywire feeds` and `storywire poll --feeds`, as a person types them."""

import json
from pathlib import Path

import pytest

from tests.command import one_line, storywire
from tests.e2e.feed_server import FeedServer, page
from tests.e2e.polling import rss
from worker.connect import connect
from worker.poller.subscribe import default_feeds, subscribe
from worker.store.feeds import Feeds

A, B = "https://a.example/feed", "https://b.example/feed"


def listed(url: str) -> list[dict[str, object]]:
    run = storywire("feeds", "list", "--json", redis_url=url)
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_feeds_are_added_listed_exported_removed_and_imported(valkey_url: str, tmp_path: Path) -> None:
    """The whole life of a list; a removed feed does not come back with the list that still names it."""
    opml = tmp_path / "my feeds.opml"
    for url, title in ((A, "The <A> & Co"), (B, "")):
        run = storywire("feeds", "add", "--no-fetch", url, "--title", title, redis_url=valkey_url)
        assert (run.returncode, run.stdout[:7]) == (0, "added: ")
    assert "known already" in storywire("feeds", "add", A, redis_url=valkey_url).stdout
    assert {feed["url"]: (feed["title"], feed["status"]) for feed in listed(valkey_url)} == {
        A: ("The & Co", "new"),
        B: ("", "new"),
    }
    assert "2 feeds" in storywire("feeds", "export", opml, redis_url=valkey_url).stdout
    assert storywire("feeds", "export", redis_url=valkey_url).stdout == opml.read_text(encoding="utf-8")
    assert storywire("feeds", "remove", A, redis_url=valkey_url).returncode == 0
    again = storywire("feeds", "import", opml, redis_url=valkey_url)
    assert (again.returncode, again.stdout.strip()) == (
        0,
        f"{opml}: 0 added, 1 known already, 1 left out that were removed before",
    )
    assert [feed["url"] for feed in listed(valkey_url)] == [B]


def test_an_import_goes_on_past_bad_addresses_and_fails_in_the_end(valkey_url: str, tmp_path: Path) -> None:
    opml = tmp_path / "x.opml"
    opml.write_text(f"<opml><body><outline xmlUrl='gopher://x'/><outline xmlUrl='{A}'/></body></opml>")
    run = storywire("feeds", "import", opml, redis_url=valkey_url)
    assert run.returncode == 1
    assert "'gopher://x' is not http or https" in run.stderr
    assert "1 added" in run.stdout


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["remove", "https://nobody.example/"], "is no feed of this store: `storywire feeds list` shows them"),
        (["import", "/no/such.opml"], "/no/such.opml: no such file or directory: give the path of an OPML file"),
        (["import", "/"], "/: is a directory"),
        (["export", "/no/such/folder.opml"], "/no/such/folder.opml: no such file or directory: give another path"),
    ],
)
def test_what_cannot_be_done_is_said_in_one_line(valkey_url: str, arguments: list[str], says: str) -> None:
    run = storywire("feeds", *arguments, redis_url=valkey_url)
    assert run.returncode == 1
    assert says in one_line(run.stderr)


@pytest.mark.parametrize(
    "command", ["", "add", "remove", "pause", "resume", "poll", "list", "show", "import", "export"]
)
def test_every_command_explains_itself(valkey_url: str, command: str) -> None:
    run = storywire("feeds", *filter(None, [command]), "--help", redis_url=valkey_url)
    assert run.returncode == 0
    assert not command or f"Example: storywire feeds {command}" in run.stdout


def test_the_data_directory_is_given_before_or_behind_the_subcommand(tmp_path: Path, data_dir: Path) -> None:
    elsewhere = tmp_path / "unused"
    for arguments in (["add", "--no-fetch", A, "--data-dir", data_dir], ["list", "--data-dir", data_dir]):
        run = storywire("feeds", *arguments, data_dir=elsewhere)
        assert run.returncode == 0, run.stderr
    assert A in run.stdout
    assert A in storywire("feeds", "--data-dir", data_dir, "list", data_dir=elsewhere).stdout
    assert not elsewhere.exists()


def test_a_poll_of_a_list_is_seen_in_the_table(valkey_url: str, tmp_path: Path) -> None:
    """`poll --feeds` adds the list's feeds and no default ones; the table tells how each went, and why it waits."""
    with FeedServer() as server:
        server.routes["/good"] = page(rss(("1", "T", "x"), ("2", "U", "y"), channel="Their \x1b[31mName"))
        opml = tmp_path / "x.opml"
        outlines = "".join(f"<outline xmlUrl='{server.url(path)}'/>" for path in ("/good", "/bad"))
        opml.write_text(f"<opml><body>{outlines}</body></opml>")
        run = storywire("poll", "--feeds", opml, "--once", redis_url=valkey_url)
        assert (run.returncode, f"{opml}: 2 added" in run.stderr) == (0, True), run.stderr
        table = storywire("feeds", "list", redis_url=valkey_url).stdout
        records = {str(feed["url"]).removeprefix(server.url("")): feed for feed in listed(valkey_url)}
    assert "\x1b" not in table
    assert "every 10m: as is set" in " ".join(table.split())
    assert len(records) == 2
    good, bad = records["/good"], records["/bad"]
    assert (good["status"], good["entries"], good["errors"], good["trouble"]) == ("ok", 2, 0, None)
    assert (bad["status"], bad["errors"]) == ("failed", 1)
    assert "status 404" in str(bad["trouble"])


def test_the_default_list_is_for_a_store_that_never_knew_a_feed(valkey_url: str) -> None:
    """A first start begins with it; a store that has, or had, feeds of its own is left as it is."""
    with connect(valkey_url) as client:
        feeds = Feeds(client)
        [line] = subscribe(feeds, None, 1.0)
        assert line == f"{len(default_feeds())} feeds of the default list added: `storywire feeds list` shows them"
        assert feeds.count() == len(default_feeds())
        for feed in feeds.all():
            feeds.remove(feed.id)
        assert subscribe(feeds, None, 2.0) == []
        assert feeds.count() == 0
