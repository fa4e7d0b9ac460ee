"""A story's page in a real browser: tells what came since, leads from picture to table, and takes corrections."""

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage
from tests.e2e.site import RunningSite, article, fill, running_site, site_runtime
from tests.unit.articles import CUP, CUP_TITLE, DAM, DAM_REPORT, DAM_REPORT_TITLE, DAM_TITLE
from tests.waiting import eventually
from worker.forgetting import Target, What
from worker.model import story_id

TOKEN = "a-token-of-this-test-0123456789"
NEWS = "#news"
WITHIN_MS = 2_000
"""From the commit of an article until an open page says so."""


@pytest.fixture(scope="module")
def site(server_pool: Any) -> Iterator[RunningSite]:
    with site_runtime(server_pool.url("valkey"), token=TOKEN) as runtime, running_site(runtime) as running:
        yield running


_languages = iter("en de fr es it pt".split())
"""Stories of one language know nothing of those of another, so each test has its own."""


class Flood:
    """A story of two articles, and one of one, of a test's own."""

    def __init__(self, site: RunningSite) -> None:
        self.site, self.lang = site, next(_languages)
        self.now = time.time()
        self.tell("herald", DAM_TITLE, DAM, 60)
        self.tell("courier", DAM_REPORT_TITLE, DAM_REPORT, 30)
        self.tell("sports", CUP_TITLE, CUP, 20)
        self.story, self.other = self.story_of("herald"), self.story_of("sports")

    def tell(self, outlet: str, title: str, text: str, minutes_ago: float = 0) -> None:
        at = self.now - 60 * minutes_ago
        fill(
            self.site.runtime,
            [article(f"{outlet}/{self.lang}", title, text, lang=self.lang, published=at, received=at)],
        )

    def story_of(self, outlet: str) -> str:
        found = self.site.runtime.stories.article(f"{outlet}/{self.lang}")
        assert found is not None
        story = self.site.runtime.stories.find(found[0], found[1].story)
        assert story is not None
        return story_id(found[0], story.number)

    def opened(self, page: Page) -> Page:
        """The story's page, following changes."""
        listening = self.site.live.listening
        with page.expect_response(lambda answer: answer.url.endswith(f"/api/v1/stories/{self.story}")):
            page.goto(f"{self.site.url}/stories/{self.story}")  # it catches up as soon as the stream is open
        assert self.site.live.listening > listening
        return page


@pytest.fixture
def flood(site: RunningSite) -> Flood:
    return Flood(site)


def test_new_articles_are_told_and_nothing_moves_until_they_are_asked_for(page: Page, flood: Flood) -> None:
    flood.opened(page)
    expect(page.locator(NEWS)).to_be_hidden()
    before = page.locator("table.articles").bounding_box()
    flood.tell("post", DAM_TITLE, DAM)
    expect(page.locator(NEWS)).to_contain_text("1 new article", timeout=WITHIN_MS)
    flood.tell("echo", DAM_TITLE, DAM)
    expect(page.locator(NEWS)).to_contain_text("2 new articles", timeout=WITHIN_MS)
    assert page.locator("table.articles").bounding_box() == before
    expect(page.locator(".marks use")).to_have_count(2)
    page.locator(NEWS).get_by_role("link", name="Show").click()
    expect(page.locator(".marks use")).to_have_count(4)
    expect(page.locator(NEWS)).to_be_hidden()


def test_a_merge_is_told_with_the_way_to_the_other_story(page: Page, flood: Flood) -> None:
    flood.story, flood.other = flood.other, flood.story
    flood.opened(page)
    flood.site.runtime.editing.merge([flood.story, flood.other])
    expect(page.locator(NEWS)).to_contain_text(f"This story is part of {flood.other} now", timeout=WITHIN_MS)
    page.locator(NEWS).get_by_role("link", name="Show").click()
    page.wait_for_url(f"**/stories/{flood.other}")


def test_that_a_story_ended_is_told_to_who_comes_back_to_its_page(new_page: NewPage, flood: Flood) -> None:
    opened = flood.opened(new_page(allowed="status of 404"))
    look = "hidden => { Object.defineProperty(document, 'hidden', { value: hidden, configurable: true });"
    look += " document.dispatchEvent(new Event('visibilitychange')); }"
    opened.evaluate(look, True)
    for outlet in ("herald", "courier"):
        flood.site.runtime.forgetting.forget(Target(What.ARTICLE, f"{outlet}/{flood.lang}"))
    eventually(lambda: flood.site.live.board.count(flood.lang) == 1, 10, "the story is still on the board")
    opened.evaluate(look, False)
    expect(opened.locator(NEWS)).to_contain_text("This story has ended")


def test_a_mark_of_the_picture_leads_to_its_row(page: Page, flood: Flood) -> None:
    flood.opened(page)
    mark, row = page.locator(".marks use").nth(1), page.locator("tr#a2")
    place = mark.evaluate("mark => { mark.scrollIntoView({block: 'center'}); return mark.getBoundingClientRect(); }")
    page.mouse.move(place["x"] + place["width"] / 2, place["y"] + place["height"] / 2)
    expect(row).to_have_class("picked")
    page.mouse.down()
    page.mouse.up()
    expect(page).to_have_url(re.compile("#a2$"))
    expect(row).to_be_in_viewport()
    assert "Courier" in (mark.locator("title").text_content() or "")


def test_the_page_can_be_read_without_scripts(new_page: NewPage, flood: Flood) -> None:
    page = new_page(java_script_enabled=False)
    page.goto(f"{flood.site.url}/stories/{flood.story}")
    expect(page.locator(".summary")).to_contain_text("Herald was first")
    expect(page.get_by_role("img", name="Who repeats whom, by outlet and time")).to_be_visible()
    assert page.locator("table.articles tbody tr").count() == 2


@pytest.mark.parametrize("width", [360])
def test_a_narrow_page_does_not_scroll_sideways_and_an_editor_corrects_on_it(
    new_page: NewPage, flood: Flood, width: int
) -> None:
    page = new_page(width=width, color_scheme="dark")
    page.goto(f"{flood.site.url}/stories/{flood.story}")
    page.get_by_role("main").get_by_role("link", name="Log in").click()
    page.get_by_label("Token of this site").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    page.wait_for_url(f"**/stories/{flood.story}")
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    page.get_by_label("split off article 2").check()
    page.get_by_role("button", name="Split off the ticked articles").click()
    new = flood.story_of("courier")
    expect(page.get_by_role("status").first).to_contain_text(f"{new} is the story of 1 article")
    assert new != flood.story
