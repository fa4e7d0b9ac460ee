"""`storywire feeds` and `storywire poll --feeds`, as a person types them."""

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.command import here, one_line, storywire
from tests.e2e.feed_server import FeedServer, page, versioned
from tests.e2e.polling import rss
from worker.connect import connect
from worker.poller.subscribe import default_feeds, subscribe
from worker.store.feeds import Feeds
from worker.store.gates import Ask, Gates, Rule, Visit

A, B = "https://a.example/feed", "https://b.example/feed"


def listed(url: str) -> list[dict[str, object]]:
    run = here("feeds", "list", "--json", redis_url=url)
    assert run.returncode == 0, run.stderr
    return [json.loads(line) for line in run.stdout.splitlines()]


def test_feeds_are_added_listed_exported_removed_and_imported(valkey_url: str, tmp_path: Path) -> None:
    """The whole life of a list; a removed feed does not come back with the list that still names it."""
    opml = tmp_path / "my feeds.opml"
    for url, title in ((A, "The <A> & Co"), (B, "")):
        run = here("feeds", "add", "--no-fetch", url, "--title", title, redis_url=valkey_url)
        assert (run.returncode, run.stdout[:7]) == (0, "added: ")
    assert "known already" in here("feeds", "add", A, redis_url=valkey_url).stdout
    assert {feed["url"]: (feed["title"], feed["status"]) for feed in listed(valkey_url)} == {
        A: ("The & Co", "new"),
        B: ("", "new"),
    }
    assert "2 feeds" in here("feeds", "export", opml, redis_url=valkey_url).stdout
    assert here("feeds", "export", redis_url=valkey_url).stdout == opml.read_text(encoding="utf-8")
    assert here("feeds", "remove", A, redis_url=valkey_url).returncode == 0
    again = here("feeds", "import", opml, redis_url=valkey_url)
    assert (again.returncode, again.stdout.strip()) == (
        0,
        f"{opml}: 0 added, 1 known already, 1 left out that were removed before",
    )
    assert [feed["url"] for feed in listed(valkey_url)] == [B]


def test_an_import_goes_on_past_bad_addresses_and_fails_in_the_end(valkey_url: str, tmp_path: Path) -> None:
    opml = tmp_path / "x.opml"
    opml.write_text(f"<opml><body><outline xmlUrl='gopher://x'/><outline xmlUrl='{A}'/></body></opml>")
    run = here("feeds", "import", opml, redis_url=valkey_url)
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
    run = here("feeds", *arguments, redis_url=valkey_url)
    assert run.returncode == 1
    assert says in one_line(run.stderr)


@pytest.mark.parametrize(
    "command", ["", "add", "remove", "pause", "resume", "poll", "list", "show", "import", "export"]
)
def test_every_command_explains_itself(valkey_url: str, command: str) -> None:
    run = here("feeds", *filter(None, [command]), "--help", redis_url=valkey_url)
    assert run.returncode == 0
    assert not command or f"Example: storywire feeds {command}" in run.stdout


def test_the_data_directory_is_given_before_or_behind_the_subcommand(tmp_path: Path, data_dir: Path) -> None:
    elsewhere = tmp_path / "unused"
    for arguments in (["add", "--no-fetch", A, "--data-dir", data_dir], ["list", "--data-dir", data_dir]):
        run = here("feeds", *arguments, data_dir=elsewhere)
        assert run.returncode == 0, run.stderr
    assert A in run.stdout
    assert A in here("feeds", "--data-dir", data_dir, "list", data_dir=elsewhere).stdout
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
        table = here("feeds", "list", redis_url=valkey_url).stdout
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


def test_feeds_are_paused_resumed_made_due_and_removed_by_what_they_are_called(valkey_url: str) -> None:
    """By id, address, or a part of it that no other has; several at once, and those of standard input."""
    run = here("feeds", "add", "--no-fetch", A, B, "https://a.example/sport", redis_url=valkey_url)
    assert run.stdout.count("added: ") == 3
    ids = {str(feed["url"]): str(feed["id"]) for feed in listed(valkey_url)}
    several = here("feeds", "pause", "a.example", redis_url=valkey_url)
    assert several.returncode == 1
    assert f"a.example fits 2 feeds: give one of {ids[A]} ({A})" in one_line(several.stderr)
    paused = here("feeds", "pause", "SPORT", ids[B], redis_url=valkey_url)
    assert paused.stdout.splitlines() == [
        f"paused: {ids['https://a.example/sport']} https://a.example/sport",
        f"paused: {ids[B]} {B}",
    ]
    assert {feed["status"] for feed in listed(valkey_url) if feed["url"] != A} == {"paused"}
    refused = here("feeds", "poll", "sport", A, redis_url=valkey_url)
    assert (refused.returncode, refused.stdout) == (1, f"due now: {ids[A]} {A}\n")
    assert "no poller runs" in refused.stderr
    assert f"is paused: `storywire feeds resume {ids['https://a.example/sport']}`" in refused.stderr
    resumed = here("feeds", "resume", "-", given=f"{ids[B]}\n{A}\n", redis_url=valkey_url)
    assert resumed.stdout == f"resumed: {ids[B]} {B}\nwas not paused: {ids[A]} {A}\n"
    part = here("feeds", "remove", "sport", ids[B], redis_url=valkey_url)
    assert (part.returncode, part.stdout) == (1, f"removed: {ids[B]} {B}\n")
    assert "sport is no feed of this store" in one_line(part.stderr)
    assert sorted(str(feed["url"]) for feed in listed(valkey_url)) == [A, "https://a.example/sport"]


def test_a_feed_that_is_due_at_a_closed_gate_is_said_to_wait(valkey_url: str) -> None:
    here("feeds", "add", "--no-fetch", A, redis_url=valkey_url)
    with connect(valkey_url) as client:
        gates = Gates(client, Rule())
        [turn] = gates.enter([Ask(A, "any")])
        gates.leave([Visit(turn.gate, turn.visit, took_s=0.1, close_s=3000.0)])
    said = here("feeds", "poll", A, redis_url=valkey_url).stdout
    assert said.startswith("due, but host a.example asked to be left alone for a while, until "), said
    assert " UTC: " in said


def test_a_list_is_filtered_sorted_and_cut(valkey_url: str) -> None:
    """Words, folders and states; what a list leaves out it says, and a reader that goes away is no error."""
    with connect(valkey_url) as client:
        feeds = Feeds(client)
        for number in range(30):
            feeds.add(f"https://site{number}.example/feed", f"Outlet {30 - number}", 1.0, f"F{number % 3}/G")
        feeds.pause(feeds.id_of("https://site7.example/feed"))

    def names(*arguments: str) -> list[object]:
        run = here("feeds", "list", "--json", *arguments, redis_url=valkey_url)
        return [json.loads(line)["title"] for line in run.stdout.splitlines()]

    assert names("--paused") == ["Outlet 23"]
    assert names("--failing") == []
    assert len(names("--folder", "f1")) == 10
    assert names("--folder", "F") == []
    assert names("site1", "f1/", "--sort", "name") == ["Outlet 11", "Outlet 14", "Outlet 17", "Outlet 20", "Outlet 29"]
    run = here("feeds", "list", "--limit", "2", "outlet", redis_url=valkey_url)
    lines = run.stdout.splitlines()
    assert lines[0] == "30 feeds: 1 paused, 29 not polled yet, 29 due now"
    assert (len(lines), lines[-1][:17]) == (5, "and 28 more feeds")
    said = here("feeds", "list", "--folder", "sport", redis_url=valkey_url)
    assert said.stderr == "there is no folder sport: there are F0/G, F1/G, F2/G\n"
    assert "none of 30 feeds is like that" in here("feeds", "list", "nobody", redis_url=valkey_url).stderr


def test_a_feed_is_shown_with_its_polls_and_why_it_waits(valkey_url: str) -> None:
    """What each poll found and what followed, validators, gate and hub; as a table and as an object."""
    with FeedServer() as server:
        hub = "<atom:link xmlns:atom='http://www.w3.org/2005/Atom' rel='hub' href='https://hub.example/'/><ttl>30</ttl>"
        body = rss(("1", "T", "x"), ("2", "U", "y"), channel="Their \x1b[31mName").replace(
            "<language>", f"{hub}<language>"
        )
        server.routes["/good"] = versioned(body, '"tag"')
        here("feeds", "add", "--no-fetch", server.url("/good"), server.url("/bad"), redis_url=valkey_url)
        never = here("feeds", "show", "/good", redis_url=valkey_url).stdout
        assert storywire("poll", "--once", redis_url=valkey_url).returncode == 0
        assert here("feeds", "poll", "/good", redis_url=valkey_url).returncode == 0
        assert storywire("poll", "--once", redis_url=valkey_url).returncode == 0
        shown = here("feeds", "show", "/good", redis_url=valkey_url).stdout
        good = json.loads(here("feeds", "show", "/good", "--json", redis_url=valkey_url).stdout)
        bad = json.loads(here("feeds", "show", "/bad", "--json", redis_url=valkey_url).stdout)
    assert "now: is new: polled at once; no poller runs" in never
    assert "\x1b" not in shown
    lines = [" ".join(line.split()) for line in shown.splitlines()]
    for words in (
        "status unchanged, polled",
        "asks at most every 30m (ttl)",
        'validators ETag "tag"',
        "gate host 127.0.0.1: at most 64 at once",
        "hub https://hub.example/ (WebSub)",
        "remembered 2 entries",
    ):
        assert any(line.startswith(words) for line in lines), f"{words!r} is missing in:\n{shown}"
    assert [(fetch["status"], fetch["outcome"], fetch["new"]) for fetch in good["fetches"]] == [
        (304, "not-modified", 0),
        (200, "ok", 2),
    ]
    assert all("30m" in fetch["why"] and fetch["wait_s"] >= 1800 for fetch in good["fetches"])
    assert (bad["http_status"], bad["errors"], bad["fetches"][0]["new"]) == (404, 1, 0)
    assert "status 404" in bad["why"]


def test_a_list_goes_out_and_comes_back_as_it_was(fresh_url: Callable[[], str]) -> None:
    """Through pipes into another store: folders, names, pages, and that a feed is held back; and part of it."""
    valkey_url, other_url = fresh_url(), fresh_url()
    for arguments in ((A, "--folder", "News/World & more", "--title", 'A "quoted" name'), (B, "--pages", "off")):
        assert here("feeds", "add", "--no-fetch", *arguments, redis_url=valkey_url).returncode == 0
    assert here("feeds", "pause", B, redis_url=valkey_url).returncode == 0
    exported = here("feeds", "export", redis_url=valkey_url).stdout
    run = here("feeds", "import", "-", given=exported, redis_url=other_url)
    assert (run.returncode, run.stdout) == (0, "standard input: 2 added, 0 known already\n"), run.stderr
    kept = ("url", "title", "folder", "pages", "status")
    assert [[feed[name] for name in kept] for feed in listed(other_url)] == [
        [A, 'A "quoted" name', "News/World & more", "auto", "new"],
        [B, "", None, "off", "paused"],
    ]
    assert here("feeds", "export", "-", redis_url=other_url).stdout == exported
    assert not Path("-").exists(), "a file named -"
    part = here("feeds", "export", "--folder", "News", redis_url=other_url).stdout
    assert A in part
    assert B not in part


def test_a_list_of_no_feeds_says_so_and_where(fresh_url: Callable[[], str]) -> None:
    """It may be the wrong store, or a folder's mistyped name."""
    url = fresh_url()
    run = here("feeds", "export", "-", redis_url=url)
    assert run.returncode == 0 and "<opml" in run.stdout and "xmlUrl" not in run.stdout
    assert run.stderr.startswith("no feeds on the server unix://")
    assert "`storywire feeds add URL`" in run.stderr
    assert here("feeds", "add", "--no-fetch", A, "--folder", "News", redis_url=url).returncode == 0
    run = here("feeds", "export", "--folder", "Nws", redis_url=url)
    assert (run.returncode, run.stderr) == (0, "there is no folder Nws: there are News\n")
