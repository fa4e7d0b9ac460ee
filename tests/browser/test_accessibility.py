"""Every page for everybody: axe-core finds nothing serious, in both themes, on a phone and a desktop; by keyboard alone.

With PICTURES=FOLDER, a picture of each page in each theme and width is written there (`make pictures`).
"""

import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

from tests.e2e.site import RunningSite, article, fill, running_site, site_runtime
from worker.web.limits import RATES, Rate

TOKEN = "a-token-of-the-tests-4711"
SIZES = {"phone": (360, 740), "desktop": (1280, 800)}
PAGES = ("stories", "filtered", "nothing", "refused", "story", "story-edited", "feeds", "feed", "status", "api", "login",
         "missing")  # fmt: skip
_BRIDGE = (
    "Engineers closed the harbour bridge of Port Vell on Monday after they found cracks in two of its pillars. The "
    "council said that buses would cross by ferry until the repair, which takes a month and costs nine million euros."
)


@pytest.fixture(scope="module")
def site(server_pool) -> Iterator[RunningSite]:  # type: ignore[no-untyped-def]
    """A site with stories, feeds, and an editor's token."""
    with site_runtime(server_pool.url("valkey"), token=TOKEN) as runtime:
        now = time.time()
        fill(
            runtime,
            [
                article("herald/1", "Cracks close harbour bridge", _BRIDGE, received=now - 7_000),
                article("post/1", "Harbour bridge closed over cracks", _BRIDGE, received=now - 5_000),
                article("wire/1", "Bridge of Port Vell shut", _BRIDGE + " Ferries run hourly.", received=now - 900),
                article("tagblatt/1", "Hafenbrücke gesperrt", "Die Brücke am Hafen ist wegen Rissen gesperrt, wie "
                        "die Stadt am Montag mitteilte; Busse fahren bis zum Ende der Arbeiten auf der Fähre.",
                        lang="de", received=now - 400),
                *(article(f"herald/{n}", f"Election result number {n}", f"Candidate number{n} won ward{n} of town{n} by "
                          f"margin{n} votes; recount{n} follows in district{n} next month.", received=now - n * 60)
                  for n in range(2, 12)),
            ],
        )  # fmt: skip
        runtime.feeds.add("https://herald.example/feed.xml", "", now)
        with running_site(runtime, rates=RATES | {"login": Rate(100, 0.1)}) as running:
            yield running


@pytest.fixture(scope="module", params=[(theme, size) for theme in ("light", "dark") for size in SIZES], ids="-".join)
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
    found = Axe().run(visit.page).response["violations"]
    serious = [
        f"{each['id']}: {each['help']}: {[node['html'][:200] for node in each['nodes'][:3]]}"
        for each in found
        if each["impact"] in ("serious", "critical")
    ]
    assert serious == [], f"{name}, {visit.made}"
    wide = visit.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide[0] <= wide[1], f"{name}, {visit.made}: it scrolls sideways"
