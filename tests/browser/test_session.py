"""The editor's session in a real browser: logging in, coming from elsewhere, logging out; behind a proxy's address."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import NewPage
from tests.e2e.site import RunningSite, article, fill, running_site, site_runtime
from tests.waiting import eventually

TOKEN = "a-token-of-the-tests-4711"


@pytest.fixture
def site(valkey_url: str) -> Iterator[RunningSite]:
    """A site that others reach, so that everything takes the token."""
    settings = {"public_url": "http://news.example.org/wire", "token": TOKEN}
    with site_runtime(valkey_url, None, **settings) as runtime, running_site(runtime) as running:
        yield running


def test_who_logged_in_once_stays_until_logging_out(site: RunningSite, new_page: NewPage) -> None:
    """The token is asked for once, the page that was wanted comes then; a link from elsewhere, with which a browser
    sends no cookie at first, leads there too; and after logging out all is closed again."""
    page = new_page(allowed="the server responded with a status of 40")
    page.goto(f"{site.url}/wire/feeds?sort=name")
    page.get_by_label("Token of this site").fill("not the token")
    page.keyboard.press("Enter")
    expect(page.get_by_role("alert")).to_have_text("This is not the token.")
    page.get_by_label("Token of this site").fill(TOKEN)
    page.get_by_role("button", name="Log in").click()
    expect(page).to_have_url(f"{site.url}/wire/feeds?sort=name")
    expect(page.get_by_role("heading", level=1)).to_have_text("Feeds")
    assert page.evaluate("document.cookie") == "", "no script reads the session"

    page.goto("about:blank")
    page.set_content(f'<a href="{site.url}/wire/status">to the status</a>')
    page.get_by_text("to the status").click()
    expect(page.locator("nav a[aria-current]")).to_have_text("Status")
    expect(page).to_have_url(f"{site.url}/wire/status")

    page.get_by_role("button", name="Log out").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Log in")
    page.goto(f"{site.url}/wire/status")
    expect(page.get_by_role("heading", level=1)).to_have_text("Log in")


def test_open_pages_ask_for_the_token_when_the_session_is_over(site: RunningSite, new_page: NewPage) -> None:
    """They do not say for ever that they are not connected."""
    fill(
        site.runtime, [article("herald/dam", "Dam opened", "The dam at Ulmen was opened after years of work by many.")]
    )
    site.shows(1)
    page = new_page(allowed="the server responded with a status of 40")
    page.goto(f"{site.url}/wire/stories/en-1")
    page.get_by_label("Token of this site").fill(TOKEN)
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{site.url}/wire/stories/en-1")
    other = page.context.new_page()
    other.goto(f"{site.url}/wire/")
    eventually(lambda: site.live.listening == 2, 10, "both pages follow the stories")
    page.context.clear_cookies()
    site.live.end()  # every stream, as a server does that ends
    for opened in (page, other):
        expect(opened.get_by_role("heading", level=1)).to_have_text("Log in", timeout=15_000)
