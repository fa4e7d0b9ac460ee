"""Hostile news on a real site in a real browser: shown as text on every page, nothing of it runs, leads or hides."""

import re
from collections.abc import Iterator
from urllib.parse import urlsplit
from xml.etree import ElementTree

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Dialog, Page, Request
from selectolax.lexbor import LexborHTMLParser

from tests.browser.hostile_news import JOINED, TITLES, publish, raw
from tests.e2e.site import RunningSite, fill, running_site, site_runtime

PAGES = ("/", "/?sort=new", "/?q=script", "/?q=%3Cscript%3E&outlet=%22onclick=x", "/feeds", "/status", "/api", "/login",
         "/nothing/%3Cscript%3Ealert(1)%3C/script%3E")  # fmt: skip
HIDING = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200b\u200e\u200f\u202a-\u202e\u2060-\u2069\ufeff\ud800-\udfff]"
)


@pytest.fixture(scope="module")
def site(server_pool) -> Iterator[RunningSite]:  # type: ignore[no-untyped-def]
    """A site on which hostile news are stories."""
    with site_runtime(server_pool.url("valkey")) as runtime:
        publish(runtime)
        assert runtime.outbox.depth() == 0 and runtime.quarantine.depth() == 0
        with running_site(runtime) as running:
            yield running


@pytest.fixture
def seen(browser: Browser, site: RunningSite) -> Iterator["Seen"]:
    """A page of a phone."""
    context = browser.new_context(viewport={"width": 360, "height": 740})
    yield Seen(context.new_page(), site.url)
    context.close()


class Seen:
    """A page, and whatever happens on it that must not."""

    def __init__(self, page: Page, url: str) -> None:
        self.page, self._url, self.wrong = page, url, list[str]()
        page.on("dialog", self._dialog)
        page.on("console", self._console)
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("request", self._request)
        page.on("popup", lambda other: self.wrong.append(f"opened {other.url}"))

    def _dialog(self, dialog: Dialog) -> None:
        self.wrong.append(f"dialog: {dialog.message}")
        dialog.dismiss()

    def _console(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "the server responded with a status of 404" not in message.text:
            self.wrong.append(f"console: {message.text}")

    def _request(self, request: Request) -> None:
        if not request.url.startswith(self._url) or "hacked" in urlsplit(request.url).path:
            self.wrong.append(f"asked for {request.url}")

    def visit(self, path: str) -> None:
        """Open a page, look and hover; fails for whatever was not to happen."""
        self.page.goto(self._url + path, wait_until="load")
        assert self.page.url == self._url + path, "the page led elsewhere"
        self.look(path)

    def look(self, path: str) -> None:
        """Fails for what stands on the page, or happened on it, that must not."""
        assert self.page.evaluate("window.hacked") is None
        found = self.page.evaluate(_LOOK)
        assert found["markup"] == [], f"{path}: feeds' text became markup"
        assert [link for link in found["links"] if not link.startswith(("http://", "https://"))] == [], path
        assert found["wide"] <= found["room"], f"{path}: wider than a phone by {found['widest']}"
        hiding = {f"U+{ord(sign):04X}" for sign in HIDING.findall(found["text"].replace("\r", ""))}
        assert not hiding, f"{path}: signs that hide or turn text: {hiding}"
        assert self.wrong == [], path


_LOOK = """() => {
  const named = 'iframe, object, embed, base, marquee, form[action^="http"], meta[http-equiv="refresh"], ' +
    'script:not([src]), style, img[src*="hacked"]';
  const handled = [...document.querySelectorAll('*')].filter(
    e => [...e.attributes].some(a => a.name.startsWith('on') || a.name === 'style' && !e.isConnected));
  const outside = [...document.querySelectorAll('body *')].filter(e => {
    const box = e.getBoundingClientRect();
    return box.right > document.documentElement.clientWidth + 1 && box.width > 0;
  });
  return {
    markup: [...document.querySelectorAll(named), ...handled].map(e => e.outerHTML.slice(0, 200)),
    links: [...document.querySelectorAll('a[href], area[href]')].map(e => e.href || e.href.baseVal),
    wide: document.documentElement.scrollWidth, room: document.documentElement.clientWidth,
    widest: outside.slice(0, 3).map(e => e.outerHTML.slice(0, 160)).join(' '),
    text: document.body.innerText,
  };
}"""


@pytest.mark.parametrize("path", PAGES)
def test_hostile_news_are_text_on_every_page(seen: Seen, path: str) -> None:
    seen.visit(path)


def test_every_title_is_shown_as_it_was_written(seen: Seen) -> None:
    """Those that hold no characters that hide: letter by letter, markup and all."""
    seen.visit("/?limit=100&sort=new")
    text = " ".join(seen.page.inner_text("main").split())
    for name in TITLES:
        assert f"Raw{name}" in text, f"{name} is not shown"
    for name in ("Script", "Quotes", "Template", "Arabic", "Hebrew"):
        assert f"Raw{TITLES[name]}" in text, name
    assert f"RawJoined {JOINED} end" in text, "joiners that spell stay, a run of others does not"


def test_hostile_news_are_text_on_the_pages_of_stories(seen: Seen, site: RunningSite) -> None:
    """With all of their articles, links and key terms: those that a parser cleaned, and those that nothing did."""
    headlines = {row.headline: row.story for row in site.live.board}
    for name in ("Script", "RawHandler", "RawQuotes", "RawBidi", "RawZalgo", "RawUnbroken", "Unbroken", "Emoji"):
        [story] = [story for headline, story in headlines.items() if headline.split()[0] == name][:1] or [""]
        assert story, f"there is no story of {name}"
        seen.visit(f"/stories/{story}")


def test_hostile_news_that_come_while_one_looks_are_text_too(seen: Seen, site: RunningSite) -> None:
    """What a script of ours puts into the open page."""
    seen.visit("/?sort=new")
    fill(site.runtime, raw("Live"))
    seen.page.get_by_text("LiveScript").first.wait_for(timeout=20_000)
    seen.page.get_by_text('LiveStream data: {} event: gone data: {"story": "en-1"} id: 9').first.wait_for(
        timeout=20_000
    )
    seen.look("after new stories")


def test_what_programs_are_told_is_marked_as_data_and_whole(site: RunningSite) -> None:
    """JSON and Atom hold the titles as text, and no browser would take them for a page."""
    listed = site.ask("/api/v1/stories?limit=100")
    assert listed.headers["content-type"].startswith("application/json")
    headlines = [story["headline"] for story in listed.json["stories"]]
    assert "Raw" + TITLES["Script"] in headlines
    atom = site.ask("/stories.atom?limit=100")
    assert atom.headers["content-type"].startswith("application/atom+xml")
    root = ElementTree.fromstring(atom.body)
    titles = [title.text or "" for title in root.iter("{http://www.w3.org/2005/Atom}title")]
    assert [title for title in titles if "Raw" + TITLES["Script"] in title] != []
    links = [link.get("href", "") for link in root.iter("{http://www.w3.org/2005/Atom}link")]
    assert [link for link in links if not link.startswith(("http://", "https://"))] == []
    feed = site.ask("/stories.json?limit=100").json
    assert [item["title"] for item in feed["items"] if "Raw" + TITLES["Script"] in item["title"]] != []
    assert f"RawJoined {JOINED} end" in {item["title"] for item in feed["items"]}
    assert f"RawJoined {JOINED} end" in {each.text for each in root.iter() if each.tag.endswith("}title")}
    said = {name: [each for each in root.iter() if each.tag.endswith("}" + name)] for name in ("title", "summary")}
    assert {each.get("type", "text") for each in (*said["title"], *said["summary"])} == {"text"}
    contents = [each.text or "" for each in root.iter() if each.tag.endswith("}content")]
    contents += [item["content_html"] for item in feed["items"]]
    assert any("&lt;script&gt;" in content for content in contents), "titles stand in it, and are no markup"
    for node in LexborHTMLParser("".join(contents)).css("body *"):
        assert node.tag in ("ul", "li", "a", "span"), node.html
        assert node.attributes.keys() <= {"href", "title"}, node.html
        assert (node.attributes.get("href") or "http://").startswith(("http://", "https://")), node.html


def test_hostile_news_are_text_on_the_pages_of_feeds(seen: Seen, site: RunningSite) -> None:
    for feed in site.runtime.feeds.all():
        seen.visit(f"/feeds/{feed.id}")
