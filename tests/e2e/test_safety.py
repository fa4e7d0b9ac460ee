"""Who may do what: names, origins, token, session, key, rates; on a real site over HTTP."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from starlette.requests import HTTPConnection
from structlog.testing import capture_logs

from tests.command import one_line, storywire
from tests.conftest import NewServer
from tests.e2e.site import Answer, RunningSite, running_site, site_runtime
from tests.servers import free_port
from tests.unit.test_board import row
from tests.waiting import eventually
from worker.clock import ManualClock
from worker.config import load
from worker.errors import BadSetting
from worker.report.board import QUICK
from worker.web.headers import POLICY
from worker.web.limits import Rate
from worker.web.safety import SESSION_S, Safety, read_token
from worker.web.serve import Serving

TOKEN = "a-token-of-the-tests-4711"
PUBLIC = "https://news.example.org/wire"
ANYTHING = "/api/v1/nothing-of-the-kind"
"""Nothing is there: 404 says that who asked was let in."""


@pytest.fixture(scope="module")
def local(server_pool) -> Iterator[RunningSite]:  # type: ignore[no-untyped-def]
    """On this machine alone, without a token."""
    rates = {"search": Rate(3, 60.0), "similar": Rate(2, 60.0), "login": Rate(500, 0.01)}
    with site_runtime(server_pool.url("valkey")) as runtime, running_site(runtime, rates=rates) as site:
        yield site


CLOCK = ManualClock(1_800_000_000.0)


@pytest.fixture(scope="module")
def exposed(server_pool) -> Iterator[RunningSite]:  # type: ignore[no-untyped-def]
    """Behind a proxy, at PUBLIC."""
    rates = {"search": Rate(500, 1.0), "similar": Rate(500, 1.0), "login": Rate(4, 60.0), "keys": Rate(4, 60.0)}
    settings = {"public_url": PUBLIC, "token": TOKEN, "proxies": "1"}
    url = server_pool.url("valkey")
    with site_runtime(url, CLOCK, **settings) as runtime, running_site(runtime, rates=rates) as site:
        yield site


def bearer(token: str) -> dict[str, str]:
    """The header that programs send."""
    return {"authorization": f"Bearer {token}"}


def log_in(site: RunningSite, token: str, where: str = "", client: str = "198.51.100.1", **headers: str) -> Answer:
    """Send the form of the login page."""
    form = urlencode({"token": token, "next": where}).encode()
    usual = {"content-type": "application/x-www-form-urlencoded", "x-forwarded-for": client, "accept": "text/html"}
    return site.ask("/wire/login", "POST", form, usual | headers)


def session_of(answer: Answer) -> dict[str, str]:
    """The cookie that an answer sets, as a browser sends it back."""
    return {"cookie": answer.headers["set-cookie"].partition(";")[0]}


def test_every_answer_says_that_nothing_but_our_files_may_run(local: RunningSite) -> None:
    for path, method in (("/healthz", "GET"), ("/nothing", "GET"), (ANYTHING, "GET"), ("/login", "GET"),
                         ("/login", "PUT"), ("/websub/f/t", "GET")):  # fmt: skip
        headers = local.ask(path, method, headers={"accept": "text/html"}).headers
        assert headers["content-security-policy"] == POLICY, path
        assert headers["x-content-type-options"] == "nosniff", path
        assert headers["referrer-policy"] == "same-origin", path
        assert headers["cross-origin-opener-policy"] == "same-origin", path
        assert "permissions-policy" in headers and "server" not in headers, path
    assert "unsafe" not in POLICY and "*" not in POLICY


def test_no_template_holds_what_the_policy_would_refuse() -> None:
    """No script, style or handler inside a page: a browser would drop it without a word to the reader."""
    templates = sorted((Path(__file__).parents[2] / "worker/web/templates").rglob("*.html"))
    assert len(templates) > 2
    for path in templates:
        text = path.read_text(encoding="utf-8")
        assert not re.search(r"<script(?![^>]*\bsrc=)", text), f"{path.name}: a script inside the page"
        assert not re.search(r"<style|\sstyle=|\son[a-z]+=", text), f"{path.name}: style or handler inside the page"
        assert "|safe" not in text.replace(" ", "") and "autoescape" not in text, f"{path.name}: text as markup"


def test_troubles_are_told_in_the_form_that_was_asked_for(local: RunningSite) -> None:
    page = local.ask("/nothing", headers={"accept": "text/html,*/*"})
    assert (page.status, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert "<h1>There is nothing here</h1>" in page.text
    problem = local.ask(ANYTHING)
    assert (problem.status, problem.headers["content-type"]) == (404, "application/problem+json")
    assert problem.json["status"] == 404
    assert local.ask("/nothing").text == "there is nothing here: What was here may have ended, or it never was.\n"
    refused = local.ask("/login", "PUT")
    assert (refused.status, set(refused.headers["allow"].split(", "))) == (405, {"GET", "HEAD", "POST"})


@pytest.mark.parametrize("host", ["localhost", "localhost:1", "127.0.0.1:99", "[::1]:8080", "storywire.localhost"])
def test_this_machine_is_asked_by_its_own_names(local: RunningSite, host: str) -> None:
    assert local.ask(ANYTHING, headers={"host": host}).status == 404


@pytest.mark.parametrize(
    "host",
    ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "192.168.1.5", "[::1", "", "a@127.0.0.1.x"],
)
def test_a_name_that_was_led_here_is_not_answered(local: RunningSite, host: str) -> None:
    """DNS rebinding: a page of evil.example, whose name now leads to 127.0.0.1, reads nothing of ours."""
    answer = local.ask(ANYTHING, headers={"host": host})
    assert answer.status == 421
    assert "STORYWIRE_PUBLIC_URL" in answer.json["detail"]
    assert local.ask("/healthz", headers={"host": host}).status == 200, "which says nothing"


@pytest.mark.parametrize(
    "headers",
    [
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"origin": ""},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ],
)
def test_other_sites_change_nothing(local: RunningSite, headers: dict[str, str]) -> None:
    assert local.ask("/api/v1/similar", "POST", b"text=x", headers).status == 403
    assert local.ask("/login", "POST", b"token=x", headers).status == 403


def test_on_this_machine_reading_is_free_and_without_a_token_nobody_edits(local: RunningSite) -> None:
    page = local.ask("/login", headers={"accept": "text/html"})
    assert page.status == 200 and "STORYWIRE_TOKEN" in page.text and "<form" not in page.text
    own = {"origin": local.url, "content-type": "application/x-www-form-urlencoded"}
    assert local.ask("/login", "POST", b"token=", own).status == 403, "no token is no password"


@pytest.mark.parametrize(("path", "free"), [("/api/v1/search?q=x", 3), ("/api/v1/similar?text=x", 2)])
def test_what_costs_is_asked_for_so_often(local: RunningSite, path: str, free: int) -> None:
    statuses = [local.ask(path).status for _ in range(free)]
    assert 429 not in statuses
    refused = local.ask(path)
    assert (refused.status, refused.headers["content-type"]) == (429, "application/problem+json")
    assert 0 < int(refused.headers["retry-after"]) <= 61
    assert local.ask(ANYTHING).status == 404, "the rest goes on"


def test_lists_that_take_a_look_through_all_stories_count_as_searches(server_pool: Any) -> None:
    """Whatever they are filtered by, everywhere; not those that are remembered, nor those of everything."""
    rates = {"search": Rate(3, 600.0), "rows": Rate(500, 0.01)}
    with site_runtime(server_pool.url("valkey")) as runtime, running_site(runtime, rates=rates) as site:
        for number in range(QUICK + 1):  # of a language that the store does not have, and so does not miss
            site.live.board.put(row(number, lang="xx"))
        paths = ("/api/v1/stories?outlets=2", "/stories.atom?since=50d", "/?lang=xx")
        assert [site.ask(path).status for path in paths] == [200, 200, 200]
        refused = ("/api/v1/stories?outlets=3", "/stories.json?since=51d", "/?outlet=a", "/rows?lang=en", "/?q=dam")
        assert [site.ask(path).status for path in refused] == [429] * 5
        free = (*paths, "/", "/?limit=5", "/rows?ids=xx-1&outlets=3", "/api/v1/stories?sort=new&outlets=2")
        assert [site.ask(path).status for path in free] == [200] * 7
        assert site.ask("/api/v1/stories?outlets=x").status == 400


def test_open_pages_with_words_to_look_for_follow_on(local: RunningSite) -> None:
    """Their rows do not count as searches, and are limited all the same."""
    statuses = [local.ask("/rows?ids=en-1&q=dam").status for _ in range(90)]
    assert set(statuses) == {200}
    assert 429 in (local.ask("/rows?ids=en-1&q=dam").status for _ in range(300))


def test_others_need_the_token(exposed: RunningSite) -> None:
    for path in ("/wire/", "/", "/wire/stories/en-1", "/wire/feeds"):
        page = exposed.ask(path, headers={"accept": "text/html"})
        assert page.status == 303, path
        base = "/wire" if path.startswith("/wire") else ""
        assert page.headers["location"] == f"{base}/login?{urlencode({'next': path})}"
    for path in (ANYTHING, "/wire" + ANYTHING, "/wire/metrics", "/stories.atom", "/api/v1/stream", "/logout"):
        refused = exposed.ask(path)
        assert (refused.status, "Bearer" in refused.headers["www-authenticate"]) == (401, True), path
    assert exposed.ask("/wire" + ANYTHING, headers=bearer(TOKEN)).status == 404
    for path, status in (("/healthz", 200), ("/wire/healthz", 200), ("/websub/f/t", 404), ("/wire/login", 200)):
        assert exposed.ask(path).status == status, path


def test_a_wrong_token_is_refused_and_soon_so_is_the_client(exposed: RunningSite) -> None:
    guesses = [TOKEN[:-1], TOKEN + "x", "", "\u00e9"]
    client = {"x-forwarded-for": "203.0.113.66, 198.51.100.66"}
    for guess in guesses:
        assert exposed.ask(ANYTHING, headers=bearer(guess.encode().decode("latin-1")) | client).status == 401
    refused = exposed.ask(ANYTHING, headers=bearer("another") | client)
    assert (refused.status, int(refused.headers["retry-after"]) > 0) == (429, True)
    wrong = [log_in(exposed, "not the token of this site", client="198.51.100.66").status for _ in range(5)]
    assert wrong == [403, 403, 403, 403, 429], "the page for logging in has a limit of its own"
    liar = {"x-forwarded-for": "192.0.2.99, 198.51.100.66"}
    assert exposed.ask(ANYTHING, headers=bearer("another") | liar).status == 429, "it is what the proxy says"
    assert exposed.ask(ANYTHING, headers=bearer(TOKEN) | client).status == 404, "who has the token is let in"
    assert exposed.ask(ANYTHING, headers=bearer("x") | {"x-forwarded-for": "198.51.100.67"}).status == 401


def test_on_this_machine_the_token_is_not_guessed_by_changes(valkey_url: str) -> None:
    """Reading takes no token there, so that an old one in a reader's header is no guess."""
    split = "/api/v1/stories/en-1/split"
    with (
        site_runtime(valkey_url, token=TOKEN) as runtime,
        running_site(runtime, rates={"keys": Rate(4, 60.0), "similar": Rate(500, 1.0)}) as site,
    ):
        assert {site.ask(ANYTHING, headers=bearer("old")).status for _ in range(9)} == {404}
        guesses = [site.ask(split, "POST", b"{}", bearer(f"guess {n}")) for n in range(6)]
        assert [answer.status for answer in guesses] == [401, 401, 401, 401, 429, 429]
        assert int(guesses[-1].headers["retry-after"]) > 0
        assert site.ask(split, "POST", b"{}").status == 401, "who sends none guesses nothing"
        assert site.ask(split, "POST", b"{}", bearer(TOKEN)).status not in (401, 429), "who has it is let in"
        proxied = {"authorization": "Basic c29tZTpib2R5"}
        assert {site.ask("/api/v1/similar", "POST", b"{}", proxied).status for _ in range(6)}.isdisjoint({401, 429})


def test_who_logs_in_has_a_session_that_scripts_cannot_read(exposed: RunningSite) -> None:
    answer = log_in(exposed, TOKEN, "/wire/feeds?x=1", client="198.51.100.2", origin="https://news.example.org")
    assert (answer.status, answer.headers["location"]) == (303, "/wire/feeds?x=1")
    parts = {part.strip().lower() for part in answer.headers["set-cookie"].split(";")[1:]}
    assert {"httponly", "secure", "samesite=strict", "path=/wire", f"max-age={SESSION_S}"} <= parts
    assert TOKEN not in str(answer.headers)
    session = session_of(answer)
    assert exposed.ask("/wire" + ANYTHING, headers=session).status == 404
    for forged in (session["cookie"][:-1], session["cookie"].replace("=1", "=2"), "storywire_session=", "x=y"):
        assert exposed.ask("/wire" + ANYTHING, headers={"cookie": forged}).status == 401, forged


def test_the_wrong_token_logs_nobody_in(exposed: RunningSite) -> None:
    answer = log_in(exposed, "not the token of this site", "/wire/feeds", client="198.51.100.3")
    assert answer.status == 403 and "set-cookie" not in answer.headers
    assert "This is not the token." in answer.text and 'value="/wire/feeds"' in answer.text
    assert "not the token of this site" not in answer.text


def test_an_address_that_is_none_leads_to_the_first_page(exposed: RunningSite) -> None:
    assert exposed.ask("/wire/login?next=//[", headers={"accept": "text/html"}).status == 200
    answer = log_in(exposed, TOKEN, "//[", client="198.51.100.12")
    assert (answer.status, answer.headers["location"]) == (303, "/wire/")


def test_a_session_ends(exposed: RunningSite) -> None:
    session = session_of(log_in(exposed, TOKEN, client="198.51.100.4"))
    CLOCK.advance(SESSION_S - 5)
    assert exposed.ask("/wire" + ANYTHING, headers=session).status == 404
    CLOCK.advance(10)
    assert exposed.ask("/wire" + ANYTHING, headers=session).status == 401


def test_logging_out_takes_a_form_of_ours(exposed: RunningSite) -> None:
    session = session_of(log_in(exposed, TOKEN, client="198.51.100.5"))
    form = {"content-type": "application/x-www-form-urlencoded"} | session
    assert exposed.ask("/wire/logout", "POST", b"csrf=x", form).status == 403
    page = exposed.ask("/wire/nothing", headers=session | {"accept": "text/html"}).text
    found = re.search(r'name="csrf" value="([^"]+)"', page)
    assert found, "the editor's pages have a button to log out"
    done = exposed.ask("/wire/logout", "POST", urlencode({"csrf": found[1]}).encode(), form)
    assert (done.status, "max-age=0" in done.headers["set-cookie"].lower()) == (303, True)
    assert exposed.ask("/wire" + ANYTHING, headers=session).status == 401, "whoever kept the cookie has no use of it"
    other = session_of(log_in(exposed, TOKEN, client="198.51.100.5"))
    assert exposed.ask("/wire" + ANYTHING, headers=other).status == 404, "other sessions go on"


@pytest.mark.parametrize("path", ["/stories", "/api/v1", "/feeds/x", "/static", "/stories.atom", "/login"])
def test_it_is_not_served_under_a_name_of_its_own(valkey_url: str, path: str) -> None:
    public = f"https://news.example.org{path}"
    said = f"STORYWIRE_PUBLIC_URL: its path {path} begins as pages of this site"
    with site_runtime(valkey_url, public_url=public, token=TOKEN) as runtime, pytest.raises(BadSetting, match=said):
        Serving(runtime)


def test_a_link_from_elsewhere_is_asked_for_again(exposed: RunningSite) -> None:
    """A browser keeps the cookie back at first: the page that we answer asks again, and has it then."""
    answer = exposed.ask("/wire/feeds", headers={"accept": "text/html", "sec-fetch-site": "cross-site"})
    assert (answer.status, answer.headers["refresh"]) == (401, "0")


def test_a_reader_of_feeds_comes_with_a_key_that_only_reads(exposed: RunningSite) -> None:
    session = session_of(log_in(exposed, TOKEN, client="198.51.100.6"))
    key = _read_key(exposed)
    assert key not in (TOKEN, "") and key not in session["cookie"]
    for path in ("/stories.atom", "/wire/stories.json"):
        assert exposed.ask(f"{path}?key={key}&lang=en").status == 200, path
        assert exposed.ask(f"{path}?key={key[:-1]}", headers={"x-forwarded-for": "198.51.100.7"}).status == 401
    page = exposed.ask("/wire/?lang=en", headers=session | {"accept": "text/html"}).text
    assert f'href="/wire/stories.atom?lang=en&amp;key={key}"' in page, "the page shows readers their address"
    assert exposed.ask(f"{ANYTHING}?key={key}", headers={"x-forwarded-for": "198.51.100.8"}).status == 401
    assert exposed.ask(ANYTHING, headers=bearer(key)).status == 404, "a proxy may send it for everybody"


def test_a_reader_with_an_old_key_keeps_no_editor_out(exposed: RunningSite) -> None:
    """Both may come from one address: of an office, or of a proxy that says nothing of who is behind it."""
    office = {"x-forwarded-for": "198.51.100.10"}
    statuses = [exposed.ask("/stories.atom?key=old", headers=office).status for _ in range(6)]
    assert statuses == [401, 401, 401, 401, 429, 429]
    assert log_in(exposed, TOKEN, client="198.51.100.10").status == 303


def test_that_a_proxy_hides_who_asks_is_known() -> None:
    def hides(listen: str, public: str, proxies: str = "0") -> bool:
        settings = load({}, listen=listen, public_url=public, token=TOKEN, proxies=proxies)
        return Safety(settings, CLOCK.now).hides_clients

    assert hides("127.0.0.1:80", PUBLIC) and hides("0.0.0.0:80", PUBLIC)
    assert not hides("127.0.0.1:80", PUBLIC, "1") and not hides("127.0.0.1:80", "")
    assert not hides("0.0.0.0:80", "http://news.example.org:80"), "which may be this port itself"


def test_no_log_line_holds_what_lets_one_in(exposed: RunningSite) -> None:
    key = _read_key(exposed)
    with capture_logs() as lines:
        session = session_of(log_in(exposed, TOKEN, client="198.51.100.9"))
        exposed.ask(f"/stories.atom?key={key}", headers=session)
        exposed.ask(ANYTHING, headers=bearer(TOKEN))
        exposed.ask("/wire/nothing", headers=session | {"accept": "text/html"})
        eventually(lambda: len(lines) >= 4, 5, lambda: f"{len(lines)} lines")
    said = repr(lines)
    assert not [secret for secret in (TOKEN, key, session["cookie"].partition("=")[2]) if secret in said]


def _read_key(site: RunningSite) -> str:
    safety = Safety(site.runtime.settings, site.runtime.clock.now)
    asked = HTTPConnection({"type": "http", "headers": [(b"authorization", f"Bearer {TOKEN}".encode())]})
    key = safety.feed_key(asked)
    reader = HTTPConnection({"type": "http", "headers": [(b"authorization", f"Bearer {key}".encode())]})
    assert (safety.may_read(reader), safety.may_edit(reader), safety.form_token(reader)) == (True, False, "")
    return key


def test_where_others_reach_it_a_token_is_demanded(valkey_url: str) -> None:
    place = f"0.0.0.0:{free_port()}"
    done = storywire("serve", "--listen", place, redis_url=valkey_url)
    assert done.returncode == 1
    said = one_line(done.stderr)
    assert said.startswith(f"STORYWIRE_LISTEN={place}: others than this machine reach it, which takes a token: set")
    for settings, said in (
        ({"listen": "[::]:8080"}, r"STORYWIRE_LISTEN=\[::\]:8080: others than this machine"),
        ({"listen": "192.0.2.1:80"}, "STORYWIRE_LISTEN=192.0.2.1:80: others than this machine"),
        ({"public_url": PUBLIC}, f"STORYWIRE_PUBLIC_URL={PUBLIC}: others reach the pages there"),
    ):
        with pytest.raises(BadSetting, match=said):
            Safety(load({}, **settings), CLOCK.now)
    for place in ("127.0.0.1:80", "127.9.9.9:80", "[::1]:80"):
        assert not Safety(load({}, listen=place, public_url="http://localhost:80/x"), CLOCK.now).exposed


def test_a_token_file_is_its_owners(tmp_path: Path) -> None:
    file = tmp_path / "token"
    file.write_text(f"  {TOKEN}\n")
    file.chmod(0o600)
    settings = load({"STORYWIRE_TOKEN_FILE": str(file)})
    assert read_token(settings) == TOKEN
    for mode in (0o644, 0o620, 0o602):
        file.chmod(mode)
        with pytest.raises(BadSetting, match="others may read or change it: run `chmod 600` on it"):
            read_token(settings)
    file.chmod(0o600)
    for text, said in (("", "is empty"), ("short", "write 16 or more"), ("a b" * 20, "write 16 or more")):
        file.write_text(text)
        with pytest.raises(BadSetting, match=said) as caught:
            read_token(settings)
        assert not text or text not in str(caught.value)
    file.unlink()
    with pytest.raises(BadSetting, match="no such file"):
        read_token(settings)
    both = load({"STORYWIRE_TOKEN_FILE": str(file), "STORYWIRE_TOKEN": TOKEN})
    with pytest.raises(BadSetting, match="both set"):
        read_token(both)


def test_no_message_and_no_repr_shows_the_token() -> None:
    assert TOKEN not in repr(load({"STORYWIRE_TOKEN": TOKEN}))
    for bad in ("short-secret", "with a space in the middle of it"):
        with pytest.raises(BadSetting) as caught:
            load({"STORYWIRE_TOKEN": bad})
        assert bad not in str(caught.value) and "openssl rand" in str(caught.value)


def test_while_the_server_is_away_everybody_is_told_and_strangers_nothing_of_it(new_server: NewServer) -> None:
    """503 with a time to come back; where the server is stands on pages of those who may read them only."""
    server = new_server("valkey")
    with site_runtime(server.url(), public_url=PUBLIC, token=TOKEN) as runtime, running_site(runtime) as site:
        server.close()
        eventually(lambda: site.live.trouble, 20, "the site did not notice")
        told = site.ask("/wire/api/v1/stories/en-1", headers=bearer(TOKEN))
        assert (told.status, told.headers["content-type"]) == (503, "application/problem+json")
        assert int(told.headers["retry-after"]) > 0
        page = site.ask("/wire/stories/en-1", headers=bearer(TOKEN) | {"accept": "text/html"})
        assert (page.status, "The server of the stories is away" in page.text) == (503, True)
        stranger = site.ask("/wire/login", headers={"accept": "text/html"})
        assert str(server.folder) in page.text
        assert stranger.status == 200 and str(server.folder) not in stranger.text
        assert site.ask("/healthz").text == "the server of the stories is away, or not to be used: the log says why\n"
