"""The page of `storywire up`: its address is told and holds, in two at once; one that was given is never changed."""

import http.client
import json
import re
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

from tests.e2e.test_up import Up, opml_of, up
from tests.waiting import eventually
from worker.listening import listen, place_of

NOWHERE = "http://127.0.0.1:1/feed"


def address(running: Up) -> str:
    """Where it says that the page is."""
    line = re.compile(r"^The page: (http://127\.0\.0\.1:\d+/)$", re.MULTILINE)
    found = eventually(lambda: line.search("".join(running.err)), 20, running.said)
    return found[1] if found else ""


def get(url: str, path: str) -> tuple[int, str]:
    """Status and body."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=60)
    try:
        connection.request("GET", path)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
    finally:
        connection.close()


def test_two_at_once_have_a_page_each_from_the_moment_its_address_is_told(tmp_path: Path) -> None:
    with ExitStack() as closing:
        opml = opml_of(tmp_path, NOWHERE)
        two = [closing.enter_context(up(tmp_path / name, "--feeds", opml, page=True)) for name in ("one", "two")]
        urls = [address(running) for running in two]
        assert len(set(urls)) == 2
        for url, running in zip(urls, two, strict=True):
            assert get(url, "/healthz") == (200, "ok\n"), "nobody has to wait until it listens"
            status, page = get(url, "/status")
            assert status == 200 and str(running.data_dir) in page, "it is of its own store"
        serve = two[0].running("serve")
        serve.kill()
        eventually(lambda: (again := two[0].child("serve")) and again.pid != serve.pid, 20, two[0].said)
        assert get(urls[0], "/healthz")[0] == 200, "nor while its process is started again"
        for running in two:
            assert running.end() == 0


def test_an_address_that_was_given_and_is_taken_is_done_without_in_a_line(tmp_path: Path) -> None:
    with listen("127.0.0.1:0") as taken:
        place = place_of(taken)
        with up(tmp_path / "data", "--feeds", opml_of(tmp_path, NOWHERE), page=True, listen=place) as running:
            running.running("report")
            [line] = [line for line in running.err if "page" in line]
            assert f"The page is not served: STORYWIRE_LISTEN={place}: address already in use" in line
            assert "--listen" in line, "what to do"
            assert running.child("serve") is None
            assert running.end() == 0


def test_who_wants_no_page_has_none(tmp_path: Path) -> None:
    with up(tmp_path / "data", "--feeds", opml_of(tmp_path, NOWHERE)) as running:
        running.running("report")
        assert running.child("serve") is None and "The page" not in "".join(running.err)
        assert running.end() == 0
    assert not any(json.dumps(line).count('"web"') for line in running.log())
