"""Every page for everybody: axe-core finds nothing serious, in both themes, on a phone and a desktop.

With PICTURES=FOLDER, a picture of each page in each theme and width is written there (`make pictures`).
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe  # type: ignore[import-untyped]
from playwright.sync_api import Browser, Page

from tests.e2e.site import RunningSite, article, fill, running_site, site_runtime
from worker.model import Article
from worker.web.limits import RATES, Rate

TOKEN = "a-token-of-the-tests-4711"
_SLOW = pytest.mark.slow
SIZES = {"phone": (360, 740), "desktop": (1280, 800)}
PAGES = "stories filtered nothing refused story story-edited feeds feed status api login missing".split()
_BRIDGE = (
    "Engineers closed the harbour bridge of Port Vell on Monday after they found cracks in two of its pillars. The "
    "council said that buses would cross by ferry until the repair, which takes a month and costs nine million euros."
)
_BRUECKE = (
    "Die Brücke am Hafen ist wegen Rissen in zwei Pfeilern gesperrt, wie die Stadt am Montag mitteilte; bis die "
    "Arbeiten enden, fahren die Busse auf der Fähre."
)


def news(now: float) -> list[Article]:
    """A story of three outlets, one in German, and ten of one article."""
    told = [
        article("herald/1", "Cracks close harbour bridge", _BRIDGE, received=now - 7_000),
        article("post/1", "Harbour bridge closed over cracks", _BRIDGE, received=now - 5_000),
        article("wire/1", "Bridge of Port Vell shut", f"{_BRIDGE} Ferries run hourly.", received=now - 900),
        article("tagblatt/1", "Hafenbrücke gesperrt", _BRUECKE, lang="de", received=now - 400),
    ]
    for n in range(2, 12):
        text = f"Candidate number{n} won ward{n} of town{n} by margin{n}; recount{n} follows in district{n} next month."
        told.append(article(f"herald/{n}", f"Election result number {n}", text, received=now - n * 60))
    return told


@pytest.fixture(scope="module")
def site(server_pool) -> Iterator[RunningSite]:  # type: ignore[no-untyped-def]
    """A site with stories, feeds, and an editor's token."""
    with site_runtime(server_pool.url("valkey"), token=TOKEN) as runtime:
        now = time.time()
        fill(runtime, news(now))
        runtime.feeds.add("https://herald.example/feed.xml", "", now)
        with running_site(runtime, rates=RATES | {"login": Rate(100, 0.1)}) as running:
            yield running


SEEN = [
    pytest.param((theme, size), id=f"{theme}-{size}", marks=() if (theme == "dark") == (size == "phone") else _SLOW)
    for theme in ("light", "dark")
    for size in SIZES
]
"""Each theme and each size once as a rule; the other two by `make pictures`."""


@pytest.fixture(scope="module", params=SEEN)
def visit(request: pytest.FixtureRequest, browser: Browser, site: RunningSite) -> Iterator["Visit"]:
    """A browser with a theme and a size, logged in as the editor."""
    theme, size = request.param
    wide, high = SIZES[size]
    context = browser.new_context(viewport={"width": wide, "height": high}, color_scheme=theme, reduced_motion="reduce")
    visit = Visit(context.new_page(), site, f"{theme}-{size}")
    yield visit
    context.close()


class Visit:
    """Goes to the pages of the site by their names in PAGES."""

    def __init__(self, page: Page, site: RunningSite, made: str) -> None:
        self.page, self.made, self._site = page, made, site

    def open(self, name: str) -> None:
        """Open a page; fails where it is not there."""
        [story] = [row.story for row in self._site.live.board if "ridge" in row.headline]
        feed = self._site.runtime.feeds.all()[0].id
        paths = {"stories": "/", "filtered": "/?q=bridge&since=2d&outlets=2", "nothing": "/?q=nobodywrotethis",
                 "refused": "/?since=yesterday", "story": f"/stories/{story}", "story-edited": f"/stories/{story}",
                 "feed": f"/feeds/{feed}", "missing": "/nothing/here"}  # fmt: skip
        if name == "story-edited":
            self.log_in()
        answer = self.page.goto(self._site.url + paths.get(name, f"/{name}"), wait_until="load")
        assert answer is not None
        assert answer.status == {"missing": 404, "refused": 400}.get(name, 200), f"{name}: {answer.status}"

    def log_in(self) -> None:
        """As the editor."""
        self.page.goto(f"{self._site.url}/login")
        self.page.fill("#token", TOKEN)
        self.page.keyboard.press("Enter")
        self.page.wait_for_url(f"{self._site.url}/")
        assert self.page.locator("header form button").is_visible(), "the editor can log out"


@pytest.mark.parametrize("name", PAGES)
def test_nothing_serious_stands_in_anybodys_way(visit: Visit, name: str) -> None:
    visit.open(name)
    if folder := os.environ.get("PICTURES"):
        visit.page.screenshot(path=Path(folder) / f"{name}-{visit.made}.png", full_page=True)
    contrast = name != "api" or "desktop" in visit.made  # 2,000 elements: seconds, and the colours are the same
    options = {"resultTypes": ["violations"], "rules": {"color-contrast": {"enabled": contrast}}}
    found = Axe().run(visit.page, options=options).response["violations"]
    serious = [
        f"{each['id']}: {each['help']}: {[node['html'][:200] for node in each['nodes'][:3]]}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
    assert serious == [], f"{name}, {visit.made}"
    wide = visit.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide[0] <= wide[1], f"{name}, {visit.made}: it scrolls sideways"


def test_the_keyboard_reaches_everything_in_the_order_it_is_read(visit: Visit) -> None:
    """Tab by tab: first a link past the header, which works; each stop is seen, and none comes twice."""
    visit.open("stories")
    page = visit.page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"
    visit.open("stories")
    stops = []
    for _ in range(40):
        page.keyboard.press("Tab")
        stop = page.evaluate(_STOP)
        if stop is None or stop in stops:
            break
        stops.append(stop)
    assert len(stops) > 12, "the keyboard is held back"
    unseen = [stop["what"] for stop in stops if not stop["seen"]]
    assert unseen == [], "one does not see where one is"
    order = [stop["place"] for stop in stops]
    assert order == sorted(order), "stops come in another order than they stand in"


_STOP = """async () => {
  await new Promise(drawn => requestAnimationFrame(() => requestAnimationFrame(drawn)));
  const e = document.activeElement;
  if (!e || e === document.body) return null;
  const outlined = one => one && getComputedStyle(one).outlineStyle !== 'none';
  const marked = outlined(e) || outlined(e.closest('li')), box = e.getBoundingClientRect();
  return {
    what: e.outerHTML.slice(0, 120), place: [...document.querySelectorAll('*')].indexOf(e),
    seen: marked && box.width > 0 && box.height > 0 && box.bottom > 0 && box.top < innerHeight,
  };
}"""
