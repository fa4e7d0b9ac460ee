"""deploy/nginx/storywire.conf: nginx takes it, and with it the page works as without, by https and under a path too."""

import os
import re
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest

from tests.deploy.fronted import (
    BEARER,
    DEPLOY,
    NAME,
    TOKEN,
    Front,
    certificate,
    event_within,
    folder,
    proxy,
    served,
)  # fmt: skip
from tests.installed import program
from tests.servers import free_port
from tests.waiting import eventually

CONF = (DEPLOY / "nginx" / "storywire.conf").read_text()
PAGE = (DEPLOY.parent / "docs" / "deploy" / "proxy.md").read_text()


def under_a_path(folder: Path, conf: str) -> str:
    """The file as the documented command makes it for https://news.example.org/wire."""
    [command] = re.findall(r"^    (sed -E .* storywire\.conf)$", PAGE, re.MULTILINE)
    (folder / "storywire.conf").write_text(conf)
    subprocess.run(["sh", "-c", command], cwd=folder, check=True, timeout=10)
    return (folder / "storywire.conf").read_text()


def configured(place: Path, port: int, web_port: int, plain_port: int, base: str) -> list[str]:
    """Writes the files of an nginx of the test's own into a folder; its command."""
    conf = under_a_path(place, CONF) if base else CONF
    for was, now in {
        "127.0.0.1:8080": f"127.0.0.1:{web_port}",
        f"/etc/letsencrypt/live/{NAME}/fullchain.pem": str(place / "server.pem"),
        f"/etc/letsencrypt/live/{NAME}/privkey.pem": str(place / "server.key"),
        "/var/cache/nginx": str(place),
        "/var/log/nginx": str(place),
        "listen 443 ssl http2;": f"listen 127.0.0.1:{port} ssl http2;",
        "listen [::]:443 ssl http2;": "",
        "listen 80;": f"listen 127.0.0.1:{plain_port};",
        "listen [::]:80;": "",
        "rate=30r/s;": "rate=300r/s;",
    }.items():
        assert was in conf, f"{was} is no longer in the file"
        conf = conf.replace(was, now)
    (place / "storywire.conf").write_text(conf)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    folders = "".join(f"{kind}_temp_path {place}/{kind};" for kind in kinds)
    user = "user root;" if os.geteuid() == 0 else ""
    main = f"{user} daemon off; worker_processes 1; pid {place}/pid; error_log {place}/errors; events {{}}"
    (place / "nginx.conf").write_text(f"{main} http {{ {folders} include {place}/storywire.conf; }}")
    return [program("nginx"), "-p", str(place), "-c", str(place / "nginx.conf"), "-e", str(place / "errors")]


@pytest.fixture(scope="module", params=["", pytest.param("/wire", marks=pytest.mark.slow)], ids=["root", "path"])
def front(request: pytest.FixtureRequest, server_pool: Any) -> Iterator[Front]:
    port, web_port, plain_port = free_port(), free_port(), free_port()
    with ExitStack() as stack:
        place = stack.enter_context(folder())
        trust = certificate(place)
        command = configured(place, port, web_port, plain_port, request.param)
        tested = subprocess.run([*command, "-t"], capture_output=True, text=True, timeout=20, check=False)
        assert tested.returncode == 0 and "[warn]" not in tested.stderr, tested.stderr
        stack.enter_context(proxy(command, port, place / "said"))
        front = stack.enter_context(served(server_pool.url("valkey"), web_port, port, request.param, trust))
        front.publish(1)
        assert _plain(plain_port, f"{request.param}/?key=of-feeds") == 308
        yield front
        assert "/healthz" in (place / "storywire.log").read_text()
        assert " 308 " in (place / "storywire.log").read_text()
        for log in (place / "errors", *place.glob("*.log")):
            assert not re.search(r"key=|secret-end", log.read_text()), f"secrets of addresses are in {log.name}"


def _plain(port: int, path: str) -> int:
    """The status of what is asked without https."""
    asked = HTTPConnection("127.0.0.1", port, timeout=20)
    asked.request("GET", path, headers={"Host": NAME})
    with closing(asked), asked.getresponse() as answer:
        return answer.status


def test_a_page_comes_by_https_with_the_sites_own_headers(front: Front) -> None:
    assert front.protocol() == "h2"
    found = eventually(lambda: _page(front), 20, "the page does not show the story")
    assert found.headers["strict-transport-security"] == "max-age=31536000"
    assert found.headers["content-security-policy"].startswith("default-src 'none'")
    assert front.ask("/metrics", headers=BEARER).status == 404
    assert front.ask("/").status == 401, "a stranger"


def _page(front: Front) -> Any:
    found = front.ask("/", headers=BEARER)
    return found if found.status == 200 and "Report 1" in found.text else None


def test_an_event_arrives_at_once(front: Front) -> None:
    """Within two seconds; the bound is for a loaded machine, and below the heartbeat that would empty a buffer."""
    event_within(front, 100 + len(front.base), 10.0)


def test_who_asks_again_is_told_that_nothing_changed(front: Front) -> None:
    first = front.ask("/api/v1/feeds", headers=BEARER)
    again = front.ask("/api/v1/feeds", headers={**BEARER, "if-none-match": first.headers["etag"]})
    assert (first.status, again.status, again.body) == (200, 304, b"")


def test_styles_are_kept_for_browsers_and_here(front: Front) -> None:
    page = front.ask("/login").text
    [style] = re.findall(rf'href="{front.base}(/static/[^"]*\.css\?v=[^"]*)"', page)[:1]
    kept = front.ask(style)
    assert (kept.status, kept.headers["cache-control"]) == (200, "public, max-age=31536000, immutable")


def test_logging_in_gives_a_cookie_for_https_and_forms_of_other_sites_are_refused(front: Front) -> None:
    form = {"content-type": "application/x-www-form-urlencoded", "origin": f"https://{NAME}"}
    done = front.ask("/login", "POST", urlencode({"token": TOKEN, "next": f"{front.base}/feeds"}).encode(), form)
    assert (done.status, done.headers["location"]) == (303, f"{front.base}/feeds")
    cookie = done.headers["set-cookie"]
    assert "Secure" in cookie and "HttpOnly" in cookie and f"Path={front.base or '/'};" in cookie
    session = {"cookie": cookie.partition(";")[0]}
    page = front.ask("/feeds", headers=session)
    assert page.status == 200
    token = re.search(r'name="csrf" value="([^"]+)"', page.text)
    assert token is not None
    body = urlencode({"csrf": token[1]}).encode()
    foreign = {**form, **session, "origin": "https://other.example", "sec-fetch-site": "cross-site"}
    assert front.ask("/logout", "POST", body, foreign).status == 403
    assert front.ask("/logout", "POST", b"csrf=wrong", {**form, **session}).status == 403
    assert front.ask("/logout", "POST", body, {**form, **session}).status == 303
    assert front.ask("/feeds", headers=session).status == 401


def test_a_callback_is_open_and_takes_what_hubs_push_and_the_rest_does_not(front: Front) -> None:
    large = b"x" * 2_000_000
    assert front.ask("/websub/0123456789abcdef/secret-end?key=x", "POST", large).status in (202, 404, 410)
    assert front.ask("/login", "POST", large).status == 413


def test_limits_count_clients_by_the_address_that_nginx_saw(front: Front) -> None:
    """Wrong keys are counted by client: one that says that it is somebody else each time is found out all the same."""
    statuses = [
        front.ask("/feeds", headers={"authorization": "Bearer wrong", "x-forwarded-for": f"203.0.113.{n}"}).status
        for n in range(7)
    ]
    assert statuses == [401] * 5 + [429] * 2


def test_a_restart_behind_it_is_told_as_one_and_styles_still_come(front: Front) -> None:
    style = re.findall(rf'href="{front.base}(/static/[^"]*\.css\?v=[^"]*)"', front.ask("/login").text)[0]
    assert front.ask(style).status == 200
    front.end()
    away = front.ask("/feeds?key=of-feeds", headers=BEARER)
    pushed = front.ask("/websub/0123456789abcdef/secret-end", "POST", b"x")
    kept = front.ask(style)
    front.start()
    assert (away.status, away.headers["retry-after"], away.headers["cache-control"]) == (503, "5", "no-store")
    assert away.headers["strict-transport-security"] == "max-age=31536000"
    assert pushed.status == 503, "a hub pushes again"
    assert kept.status == 200, "from what nginx kept"
    eventually(lambda: front.ask("/feeds", headers=BEARER).status == 200, 30, "the page after its restart")
