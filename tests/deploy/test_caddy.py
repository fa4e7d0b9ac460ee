"""deploy/caddy/Caddyfile: Caddy takes it, and with it the page and its events come by https."""

import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from tests.deploy.fronted import (
    BEARER,
    DEPLOY,
    NAME,
    Front,
    certificate,
    event_within,
    folder,
    proxy,
    served,
)
from tests.installed import program
from tests.servers import free_port
from tests.waiting import eventually

CADDYFILE = (DEPLOY / "caddy" / "Caddyfile").read_text()


def configured(place: Path, port: int, web_port: int) -> Path:
    """The file with ports and a certificate of the test's own, and without what asks the network for one."""
    text = CADDYFILE
    for was, now in {
        f"\n{NAME} {{\n": f"\n{NAME}:{port} {{\n\tbind 127.0.0.1\n\ttls {place}/server.pem {place}/server.key\n",
        "127.0.0.1:8080 {": f"127.0.0.1:{web_port} {{",
        "/var/log/caddy": str(place),
    }.items():
        assert was in text, f"{was} is no longer in the file"
        text = text.replace(was, now)
    (place / "Caddyfile").write_text(f"{{\n\tadmin off\n\tauto_https disable_redirects\n}}\n{text}")
    return place / "Caddyfile"


def environment(place: Path) -> dict[str, str]:
    """Where it keeps what it knows."""
    return {"XDG_DATA_HOME": str(place), "XDG_CONFIG_HOME": str(place), "HOME": str(place)}


@pytest.fixture(scope="module")
def front(server_pool: Any) -> Iterator[Front]:
    port, web_port = free_port(), free_port()
    with ExitStack() as stack:
        place = stack.enter_context(folder())
        trust = certificate(place)
        file = configured(place, port, web_port)
        command = [program("caddy"), "run", "--config", str(file), "--adapter", "caddyfile"]
        stack.enter_context(proxy(command, port, place / "said", **environment(place)))
        front = stack.enter_context(served(server_pool.url("valkey"), web_port, port, "", trust))
        front.publish(1)
        yield front
        log = (place / "storywire.log").read_text()
        assert "/healthz" in log and not re.search(r"key=|secret-end|Bearer", log), "secrets are in the log"


def test_the_file_is_valid_as_it_stands_and_formatted() -> None:
    with folder() as place:
        text = CADDYFILE.replace("/var/log/caddy", str(place))
        (place / "Caddyfile").write_text(text)
        for words in (["validate", "--adapter", "caddyfile", "--config"], ["fmt", "--diff"]):
            done = subprocess.run(
                [program("caddy"), *words, str(place / "Caddyfile")],
                env=environment(place), capture_output=True, text=True, timeout=30, check=False,
            )  # fmt: skip
            assert done.returncode == 0, done.stderr
            assert not re.search(r"^[+-]", done.stdout, re.MULTILINE), done.stdout


@pytest.mark.slow
def test_pages_events_limits_and_a_restart_pass_through_it(front: Front) -> None:
    assert front.protocol() == "h2"

    def page() -> bool:
        found = front.ask("/", headers=BEARER)
        return found.status == 200 and "Report 1" in found.text

    eventually(page, 20, "the page does not show the story")
    assert front.ask("/").status == 401
    assert front.ask("/metrics", headers=BEARER).status == 404
    event_within(front, 100, 10.0)
    assert front.ask("/websub/0123456789abcdef/secret-end?key=x", "POST", b"x" * 2_000_000).status in (202, 404, 410)
    wrong = [
        front.ask("/feeds", headers={"authorization": "Bearer wrong", "x-forwarded-for": f"203.0.113.{n}"}).status
        for n in range(7)
    ]
    assert wrong == [401] * 5 + [429] * 2, "by the address that Caddy saw"
    front.end()
    away = front.ask("/feeds", headers=BEARER)
    front.start()
    assert (away.status, away.headers["retry-after"]) == (503, "5")
    eventually(lambda: front.ask("/feeds", headers=BEARER).status == 200, 30, "the page after its restart")
