"""The pages of feeds and of status in a real browser: found by words, fresh by themselves, at home on a phone."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import NewPage
from tests.e2e.feed_health import one_of_each
from tests.e2e.site import RunningSite, running_site, site_runtime
from tests.waiting import eventually
from worker.report.roster import State
from worker.store.pollers import Sign


@pytest.fixture
def site(valkey_url: str) -> Iterator[RunningSite]:
    with site_runtime(valkey_url) as runtime, running_site(runtime) as running:
        yield running


def test_a_feed_is_found_and_looked_at(site: RunningSite, page: Page) -> None:
    one_of_each(site.runtime)
    page.goto(f"{site.url}/feeds")
    page.get_by_role("link", name="Failing 1").click()
    expect(page.locator("table.feeds tbody tr")).to_have_count(1)
    page.get_by_role("link", name="All 8").click()
    page.get_by_role("searchbox").fill("courier")
    page.get_by_role("button", name="Find").click()
    page.get_by_role("link", name="Harbour Courier").click()
    expect(page.get_by_role("heading", level=1)).to_contain_text("Harbour Courier")
    expect(page.get_by_role("img", name="Poll by poll")).to_be_visible()
    assert page.locator("svg.polls .poll").count() == 30


def test_status_is_fresh_without_a_reload(site: RunningSite, page: Page) -> None:
    """And says by itself, for who cannot see it, how it has changed."""
    page.clock.install()
    page.goto(f"{site.url}/status")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Broken: queue, pollers")
    page.evaluate("window.same = true")
    site.runtime.pollers.beat("desk.1234.5f", Sign())
    heading = page.get_by_role("heading", level=1)

    def told() -> bool:
        page.clock.run_for(6_000)  # a reading is kept for two seconds of the server's clock, which is another
        return "pollers" not in heading.inner_text().strip()

    eventually(told, 10, "the poller that lives now was not told of")
    expect(heading).to_contain_text("Broken: queue; To look at: ")
    expect(page.get_by_role("status")).to_have_text(heading.inner_text().strip())
    assert page.title() == f"{heading.inner_text().strip()} · Status · Storywire"
    assert page.evaluate("window.same"), "the page was not loaded anew"


def test_status_that_cannot_be_asked_for_says_so(site: RunningSite, new_page: NewPage) -> None:
    page = new_page(allowed="Failed to load resource")
    page.clock.install()
    page.goto(f"{site.url}/status")
    page.route("**/status/now", lambda route: route.abort())
    page.clock.run_for(6_000)
    expect(page.get_by_role("alert")).to_contain_text("storywire serve")
    page.unroute("**/status/now")
    page.clock.run_for(6_000)
    expect(page.locator("#lost")).to_be_hidden()


@pytest.mark.parametrize("width", [360, 800, 1160])
def test_nothing_is_wider_than_the_screen(site: RunningSite, new_page: NewPage, width: int) -> None:
    ids = one_of_each(site.runtime)
    page = new_page(width=width, color_scheme="dark")
    for path in ("/feeds", f"/feeds/{ids[State.OK]}", f"/feeds/{ids[State.NEW]}", "/status"):
        page.goto(site.url + path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        cut = "[...document.querySelectorAll('.scroll:has(table)')].some(each => each.scrollWidth > each.clientWidth)"
        assert not page.evaluate(cut), f"columns of a table are cut: {path}"


def test_without_scripts_all_of_it_is_there(site: RunningSite, new_page: NewPage) -> None:
    one_of_each(site.runtime)
    page = new_page(java_script_enabled=False)
    page.goto(f"{site.url}/status")
    expect(page.get_by_role("link", name="Refresh")).to_be_visible()
    page.goto(f"{site.url}/feeds?status=gone")
    expect(page.get_by_role("link", name="Old Times")).to_be_visible()
