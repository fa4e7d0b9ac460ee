"""The page of stories in a real browser: what it shows, how it follows, what one can do with the keyboard alone."""

import re
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import NewPage
from tests.conftest import NewServer
from tests.e2e.site import RunningSite, article, fill, running_site, site_runtime
from tests.servers import Server
from tests.unit.articles import (
    CUP,
    CUP_TITLE,
    DAM,
    DAM_TITLE,
)
from tests.waiting import eventually
from worker.demo.newsroom import Newsroom
from worker.demo.outlets import OUTLETS
from worker.model import Article
from worker.store.stories import Stories

STORIES = "#stories > .story"
HEADLINES = f"{STORIES} .headline"
BAR = "#show"
WITHIN_MS = 2_000
"""From the commit of an article until an open page shows it: what issue 6 promises."""

LOOK_MS = 10_500
"""An open page asks that often whether the server of the stories is there."""


def newsroom(count: int) -> list[Article]:
    """So many articles of the demo's newsroom, the last of them of now."""
    made = [each for each in Newsroom(seed=5, site="https://newsroom.example").articles(count) if each.revision == 1]
    names = {outlet.id: outlet.name for outlet in OUTLETS}
    later = time.time() - max(each.published for each in made)
    return [
        article(
            each.id, each.title, each.text, url=each.url, source=names[each.outlet], lang=each.lang,
            published=each.published + later,
        )
        for each in made
    ]  # fmt: skip


def dam(outlet: str, **more: Any) -> Article:
    """The dam's first report, word for word, as this outlet has it."""
    return article(f"{outlet}/dam", DAM_TITLE, DAM, **more)


def cup() -> Article:
    return article("globe/cup", CUP_TITLE, CUP)


@pytest.fixture(scope="module")
def full() -> Iterator[RunningSite]:
    """A site over a newsroom's stories that no test changes."""
    server = Server("valkey")
    try:
        with site_runtime(server.url()) as runtime:
            fill(runtime, newsroom(150))
            with running_site(runtime) as site:
                yield site
    finally:
        server.close()


@pytest.fixture
def site(valkey_url: str) -> Iterator[RunningSite]:
    """A site over an empty store."""
    with site_runtime(valkey_url) as runtime, running_site(runtime) as site:
        yield site


def opened(page: Page, site: RunningSite, path: str = "/") -> Page:
    """The page, following changes."""
    page.goto(site.url + path)
    expect(page.locator("#live")).to_have_text("Live")
    return page


def titles(page: Page) -> list[str]:
    """The headlines as they stand."""
    return page.locator(HEADLINES).all_inner_texts()


def place(page: Page, headline: str) -> float:
    """Where on the screen a story is."""
    box = page.locator(STORIES, has_text=headline).bounding_box()
    assert box is not None
    return box["y"]


def test_a_story_appears_and_grows_on_the_open_page(site: RunningSite, page: Page) -> None:
    """Within two seconds of its commit, without anybody doing anything; the empty state goes."""
    opened(page, site)
    expect(page.locator("#empty h2")).to_have_text("No stories yet")
    fill(site.runtime, [dam("herald")])
    expect(page.locator(HEADLINES)).to_have_text([DAM_TITLE], timeout=WITHIN_MS)
    expect(page.locator("#empty")).to_have_count(0)
    expect(page.locator("#count")).to_have_text("1 story, 1 article")
    fill(site.runtime, [dam("ledger")])
    expect(page.locator(f"{STORIES} .articles b")).to_have_text("2", timeout=WITHIN_MS)
    expect(page.locator(f"{STORIES} .copies b")).to_have_text("1")
    expect(page.locator(f"{STORIES} .by")).to_contain_text("Herald, Ledger")
    expect(page.locator(f"{STORIES}.changed .delta")).to_have_text("+1")
    fill(site.runtime, [cup()])
    expect(page.locator(HEADLINES)).to_have_count(2, timeout=WITHIN_MS)


def test_nothing_moves_while_one_reads(site: RunningSite, page: Page) -> None:
    """Under the pointer rows change in place; what is new waits behind the bar, and is put in order on demand."""
    fill(site.runtime, [cup(), dam("herald", received=time.time() - 7200, published=time.time() - 7200)])
    site.shows(2)
    opened(page, site)
    expect(page.locator(HEADLINES)).to_have_text([CUP_TITLE, DAM_TITLE])
    page.locator(STORIES, has_text=CUP_TITLE).hover()
    before = place(page, CUP_TITLE), place(page, DAM_TITLE)
    fill(site.runtime, [dam(outlet) for outlet in ("ledger", "kettle", "nine")])
    fill(site.runtime, [article("nine/soup", SOUP_TITLE, SOUP)])
    expect(page.locator(STORIES, has_text=DAM_TITLE).locator(".articles b")).to_have_text("4", timeout=WITHIN_MS)
    expect(page.locator(BAR)).to_have_text("1 new story, 1 changed: show")
    assert titles(page) == [CUP_TITLE, DAM_TITLE]
    assert (place(page, CUP_TITLE), place(page, DAM_TITLE)) == before, "a row moved under the reader"
    expect(page).to_have_title("(1) Stories · Storywire")
    page.locator(BAR).click()
    expect(page.locator(HEADLINES)).to_have_text([DAM_TITLE, re.compile("Soup|cup"), re.compile("Soup|cup")])
    expect(page.locator(BAR)).to_be_hidden()
    expect(page.locator(f"{STORIES}.changed, {STORIES} .delta")).to_have_count(0)
    expect(page).to_have_title("Stories · Storywire")


def test_what_waits_shows_by_itself_once_nobody_points_at_the_list(site: RunningSite, page: Page) -> None:
    """At the top of the page, with the pointer elsewhere."""
    fill(site.runtime, [cup()])
    site.shows(1)
    opened(page, site)
    page.locator(STORIES).hover()
    fill(site.runtime, [dam("herald")])
    expect(page.locator(BAR)).to_have_text("1 new story: show", timeout=WITHIN_MS)
    page.mouse.move(5, 300)
    page.mouse.move(5, 5)
    expect(page.locator(HEADLINES)).to_have_count(2, timeout=WITHIN_MS)
    expect(page.locator(BAR)).to_be_hidden()


def test_scrolled_down_rows_stay_where_they_are(valkey_url: str, page: Page) -> None:
    """Stories that come above are not put in while one reads below."""
    with site_runtime(valkey_url) as runtime:
        fill(runtime, newsroom(60))
        with running_site(runtime) as site:
            opened(page, site)
            page.evaluate("window.scrollTo(0, 500)")
            seen = titles(page)
            tops = page.evaluate(TOPS)
            fill(runtime, [dam("herald")])
            expect(page.locator(BAR)).to_have_text("1 new story: show", timeout=WITHIN_MS)
            assert titles(page) == seen
            assert page.evaluate(TOPS) == tops
            page.keyboard.press("r")
            expect(page.locator(STORIES, has_text=DAM_TITLE)).to_have_count(1)
            assert page.evaluate("window.scrollY") == 0


def test_a_page_in_the_background_holds_no_connection_and_counts(site: RunningSite, page: Page) -> None:
    """Browsers have six a site: seven tabs of a working day must not stop each other. The title says what is new."""
    fill(site.runtime, [cup()])
    site.shows(1)
    page.clock.install()
    opened(page, site)
    page.evaluate(HIDE, True)
    eventually(lambda: site.live.listening == 0, 10, "a page that nobody sees still holds its stream")
    fill(site.runtime, [dam("herald")])
    site.shows(2)
    page.clock.fast_forward(61_000)
    expect(page).to_have_title("(1) Stories · Storywire")
    assert titles(page) == [CUP_TITLE]
    page.evaluate(HIDE, False)
    expect(page.locator(HEADLINES)).to_have_count(2)
    expect(page.locator("#live")).to_have_text("Live")


def test_a_list_that_could_not_be_had_is_asked_for_again(site: RunningSite, new_page: NewPage) -> None:
    """Who is told to begin anew and is refused once: the story that was missed shows all the same."""
    page = new_page(allowed="503")
    fill(site.runtime, [cup()])
    site.shows(1)
    asked, refusing = list[str](), [True]

    def answer(route: Route) -> None:
        asked.append(route.request.url)
        if refusing:
            route.fulfill(status=503)
        else:
            route.continue_()

    page.route(re.compile(r"/rows\?(?!ids=)"), answer)
    page.route("**/api/v1/stream?*", lambda of: of.fulfill(content_type="text/event-stream", body=RESET), times=1)
    page.goto(site.url)
    eventually(lambda: page.evaluate("1") and asked, 5, "the list was not asked for")
    page.evaluate("document.querySelector('#stories > .story').remove()")
    refusing.clear()
    expect(page.locator(HEADLINES)).to_have_text([CUP_TITLE], timeout=6_000)
    expect(page.locator("#live")).to_have_text("Live", timeout=6_000)


def test_a_page_that_is_opened_in_the_background_connects_when_it_is_looked_at(site: RunningSite, page: Page) -> None:
    """A dozen tabs opened at once do not take all connections."""
    asked = list[str]()
    page.on("request", lambda request: asked.append(request.url) if "/stream" in request.url else None)
    page.add_init_script("Object.defineProperty(document, 'hidden', { value: true, configurable: true })")
    page.goto(site.url)
    page.wait_for_load_state("networkidle")
    assert not asked, "a page that nobody has seen yet holds a stream"
    page.evaluate(HIDE, False)
    expect(page.locator("#live")).to_have_text("Live")


def test_a_story_that_is_quiet_for_too_long_leaves(site: RunningSite, page: Page) -> None:
    """Of a list of what was active within a while, on the open page too."""
    hour_ago = time.time() - 3_600
    fill(site.runtime, [cup(), dam("herald", received=hour_ago, published=hour_ago)])
    site.shows(2)
    page.clock.install()
    opened(page, site, "/?since=61m")
    expect(page.locator(HEADLINES)).to_have_count(2)
    page.clock.fast_forward(120_000)
    expect(page.locator(HEADLINES)).to_have_text([CUP_TITLE])


def test_a_merged_story_leaves_when_the_list_is_put_in_order(site: RunningSite, page: Page) -> None:
    """Until then it stays where it is and says what it is part of now."""
    fill(site.runtime, [dam("herald"), cup()])
    site.shows(2)
    opened(page, site)
    page.locator(STORIES, has_text=DAM_TITLE).hover()
    first, second = (page.locator(STORIES, has_text=words).get_attribute("id") for words in (DAM_TITLE, CUP_TITLE))
    assert first and second
    site.runtime.editing.merge([first, second])
    gone = page.locator(f"{STORIES}.gone")
    expect(gone.locator(".by")).to_contain_text("now part of", timeout=WITHIN_MS)
    page.keyboard.press("r")
    expect(page.locator(STORIES)).to_have_count(1)


def test_filters_are_in_the_address_and_can_be_taken_off(full: RunningSite, page: Page) -> None:
    """A plain form; each filter a chip that removes it; feeds out of the same."""
    page.goto(full.url)
    every = int(page.locator("[data-count=stories]").inner_text())
    page.get_by_label("Outlets, at least").select_option("3")
    page.get_by_label("Active within").select_option("1d")
    page.get_by_role("button", name="Filter").click()
    expect(page).to_have_url(full.url + "/?outlets=3&since=1d")
    some = int(page.locator("[data-count=stories]").inner_text())
    assert 0 < some < every
    assert all(int(n) >= 3 for n in page.locator(f"{STORIES} .outlets b").all_inner_texts())
    expect(page.get_by_role("link", name="Atom")).to_have_attribute("href", "/stories.atom?outlets=3&since=1d")
    chips = page.locator(".chips .chip")
    expect(chips).to_have_count(2)
    chips.filter(has_text="3 outlets").click()
    expect(page).to_have_url(full.url + "/?since=1d")
    word = titles(page)[0].split()[0].strip(":,'’")
    page.get_by_placeholder("Words of the headline").fill(word)
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("q="))
    assert page.locator(STORIES).count() > 0
    page.get_by_role("link", name="Newest").click()
    expect(page).to_have_url(re.compile("sort=new"))
    assert page.locator("input[name=q]").input_value() == word


def test_no_story_fits(full: RunningSite, page: Page) -> None:
    """It says which filter to take off, and what there is then."""
    page.goto(full.url + "/?q=xyzzy&outlets=2")
    expect(page.locator("#empty h2")).to_have_text("No story fits")
    expect(page.locator(".wider li")).to_have_text(re.compile(r"without “xyzzy”: \d+ stories"))
    page.locator(".wider a").click()
    expect(page).to_have_url(full.url + "/?outlets=2")
    assert page.locator(STORIES).count() > 0


def test_an_address_that_asks_for_nonsense_is_told_so(full: RunningSite, new_page: NewPage) -> None:
    """With the parameter, the remedy, and a way out."""
    page = new_page(allowed="status of 400")
    page.goto(full.url + "/?since=soon")
    expect(page.locator("main")).to_contain_text("since=soon: write a duration")
    page.get_by_role("link", name="All stories").click()
    assert page.locator(STORIES).count() > 0


def test_more_stories_follow_by_a_cursor(full: RunningSite, page: Page) -> None:
    """No story twice, none left out, to the end of the list."""
    page.goto(full.url + "/?limit=20")
    every, found = int(page.locator("[data-count=stories]").inner_text()), list[str]()
    for _ in range(every):
        found += page.locator(STORIES).evaluate_all("rows => rows.map(row => row.id)")
        if not page.locator("#more").is_visible():
            break
        page.locator("#more").click()
        page.wait_for_url(re.compile("after="))
        page.wait_for_function("first => document.querySelector('#stories > .story').id !== first", arg=found[-20])
    assert len(found) == len(set(found)) == every > 20


def test_the_keyboard_is_enough(full: RunningSite, page: Page) -> None:
    """j and k, o, slash, g, the question mark; and letters are letters while one types."""
    opened(page, full)
    names = titles(page)
    focused = "document.activeElement.textContent"
    page.keyboard.press("j")
    assert page.evaluate(focused) == names[0]
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    assert page.evaluate(focused) == names[1]
    page.keyboard.press("g")
    page.keyboard.press("/")
    page.keyboard.type("jog?")
    assert page.get_by_placeholder("Words of the headline").input_value() == "jog?"
    expect(page.locator("#help")).to_be_hidden()
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.locator("#help")).to_be_visible()
    for key in ("j", "k", "o", "Enter", "/", "r", "g", "?"):
        expect(page.locator("#help kbd").get_by_text(key, exact=True)).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("#help")).to_be_hidden()
    for _ in range(20):
        page.keyboard.press("j")
    chosen = page.evaluate("document.activeElement.getAttribute('href')")
    inside = page.evaluate("r => r.top > 90 && r.bottom < innerHeight", page.evaluate(BOX))
    assert inside, "the story that the keyboard chose is not on the screen"
    page.keyboard.press("o")
    expect(page).to_have_url(full.url + chosen)


def test_who_comes_back_from_a_story_goes_on_from_it(full: RunningSite, page: Page) -> None:
    """By Back or by Escape: it has the focus and is on the screen; a pointer leaves no focus behind."""
    opened(page, full)
    focused = "document.activeElement.textContent"
    names = titles(page)
    for _ in range(13):
        page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/stories/*")
    page.go_back()
    page.wait_for_function(f"name => {focused} === name", arg=names[12])
    assert page.evaluate("r => r.top > 90 && r.bottom < innerHeight", page.evaluate(BOX))
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    page.wait_for_url("**/stories/*")
    page.keyboard.press("Escape")
    page.wait_for_url(full.url + "/")
    page.wait_for_function(f"name => {focused} === name", arg=names[13])
    page.locator(HEADLINES).nth(2).click()
    page.wait_for_url("**/stories/*")
    page.go_back()
    expect(page.locator("#live")).to_have_text("Live")
    assert page.evaluate("document.activeElement.tagName") == "BODY"


def test_new_since_one_last_looked_is_marked(site: RunningSite, new_page: NewPage) -> None:
    """Of somebody who was away for two hours: what came, what grew, and not what had been there."""
    now = time.time()
    fill(
        site.runtime,
        [dam("herald", received=now - 10_800), article("globe/cup", CUP_TITLE, CUP, received=now - 10_800)],
    )
    fill(site.runtime, [dam("ledger"), article("nine/soup", SOUP_TITLE, SOUP)])
    site.shows(3)
    looked = {"name": "storywire.looked", "value": str(now - 7_200)}
    page = new_page(storage_state={"cookies": [], "origins": [{"origin": site.url, "localStorage": [looked]}]})
    page.goto(site.url)
    expect(page.locator(f"{STORIES}.new .headline")).to_have_text([SOUP_TITLE])
    expect(page.locator(f"{STORIES}.grew .headline")).to_have_text([DAM_TITLE])
    mark = page.get_by_role("img", name="new since you last looked")
    expect(mark).to_have_count(1)
    page.reload()
    expect(mark).to_have_count(1)


def test_a_lost_connection_is_said_and_found_again(valkey_url: str, new_page: NewPage) -> None:
    """What is known stays; when the site is back, so is what came meanwhile."""
    page = new_page(allowed="ERR_")
    with site_runtime(valkey_url) as runtime:
        with running_site(runtime) as site:
            fill(runtime, [cup()])
            site.shows(1)
            opened(page, site)
        expect(page.locator("#lost")).to_contain_text("Not connected to Storywire since")
        expect(page.locator(HEADLINES)).to_have_text([CUP_TITLE])
        fill(runtime, [dam("herald")])
        with running_site(runtime) as site:
            expect(page.locator("#lost")).to_be_hidden(timeout=20_000)
            expect(page.locator(HEADLINES)).to_have_count(2)
            expect(page.locator("#live")).to_have_text("Live")


def test_a_server_that_is_away_is_said(new_server: NewServer, page: Page) -> None:
    """On the open page, and on one that is opened meanwhile; what was known is shown."""
    server = new_server(persistent=True)
    with site_runtime(server.url()) as runtime, running_site(runtime) as site:
        fill(runtime, [cup()])
        site.shows(1)
        page.clock.install()
        opened(page, site)
        server.kill()
        eventually(lambda: site.live.trouble, 10, "the site noticed nothing")
        page.clock.fast_forward(LOOK_MS)
        expect(page.locator("#lost")).to_contain_text("The server of the stories is away")
        page.reload()
        expect(page.get_by_role("alert").first).to_contain_text("The server of the stories is away")
        expect(page.locator(HEADLINES)).to_have_text([CUP_TITLE])
        server.start()
        eventually(lambda: not site.live.trouble, 10, "the site did not come back")
        page.clock.fast_forward(LOOK_MS)
        expect(page.get_by_role("alert")).to_have_count(0)


def test_while_the_stories_are_read_the_page_says_how_far(
    valkey_url: str, page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A list that is shown before it is whole says so, and the page looks again by itself."""
    turns = threading.Semaphore(0)
    again = page.locator("meta[http-equiv=refresh]")
    with site_runtime(valkey_url) as runtime:
        fill(runtime, [cup(), dam("herald", lang="und")])
        whole = Stories.whole

        def held(*asked: Any) -> Any:
            assert turns.acquire(timeout=30), "nobody let the reading go on"
            return whole(*asked)

        monkeypatch.setattr(Stories, "whole", held)
        with running_site(runtime, is_read=False) as site:
            try:
                page.goto(site.url)
                expect(page.locator("#empty h2")).to_have_text("Reading the stories")
                expect(again).to_have_count(1)
                turns.release()
                site.shows(1)
                eventually(lambda: "%" in site.live.reading, 10, lambda: site.live.reading)
                page.reload()
                expect(page.locator("main > .notice")).to_contain_text("Reading the stories: 50 %")
                expect(page.locator(HEADLINES)).to_have_count(1)
                expect(again).to_have_count(1)
            finally:
                turns.release(1_000)
            eventually(site.live.ready.is_set, 10, lambda: site.live.reading)
            page.reload()
            expect(page.locator(HEADLINES)).to_have_count(2)
            expect(page.locator("main > .notice")).to_have_count(0)
            expect(again).to_have_count(0)


def test_without_javascript_all_is_there(full: RunningSite, new_page: NewPage) -> None:
    """The list, the filters, the order, the next page; and nothing that would not work."""
    page = new_page(java_script_enabled=False)
    page.goto(full.url + "/?limit=20")
    expect(page.locator(STORIES)).to_have_count(20)
    expect(page.locator("#live")).to_be_hidden()
    expect(page.locator("#help-button")).to_be_hidden()
    page.get_by_label("Outlets, at least").select_option("2")
    page.get_by_role("button", name="Filter").click()
    assert "outlets=2" in page.url
    page.get_by_role("link", name="Largest").click()
    numbers = [int(n) for n in page.locator(f"{STORIES} .articles b").all_inner_texts()]
    assert numbers == sorted(numbers, reverse=True)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_it_fits_every_width_in_both_themes(full: RunningSite, new_page: NewPage, scheme: str) -> None:
    """From phone to wide screen nothing is cut off sideways; the colours are the theme's; the choice of another is
    kept."""
    page = opened(new_page(color_scheme=scheme), full)
    light = page.evaluate(LUMINANCE)
    assert light > 200 if scheme == "light" else light < 60
    for width in (320, 360, 800, 1600):
        page.set_viewport_size({"width": width, "height": 800})
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), f"{width} px scroll sideways"
        cut = page.locator(f"{STORIES} .n, {STORIES} .when, header a, header button").evaluate_all(
            "all => all.filter(e => e.offsetParent && e.getBoundingClientRect().right > innerWidth + 1).length"
        )
        assert cut == 0, f"at {width} px something sticks out"
        assert page.evaluate(TAGS_SEEN), f"at {width} px the language of a story is cut off"
    page.set_viewport_size({"width": 360, "height": 800})
    page.locator("summary", has_text="Filters").click()
    tops = [box["y"] for name in ("#q", "summary") if (box := page.locator(name).first.bounding_box())]
    assert abs(tops[0] - tops[1]) < 10, "the button of the filters leaves its row"
    assert page.get_by_label("Active within").is_visible()
    page.locator("summary", has_text="Filters").click()
    page.set_viewport_size({"width": 1600, "height": 800})
    page.get_by_role("button", name="Colours").click()
    page.get_by_role("button", name="Colours").click()
    page.reload()
    assert page.evaluate(LUMINANCE) < 60, "dark was chosen"


def test_the_page_is_small(full: RunningSite) -> None:
    """Fifty stories and all that they are shown with: under 200 KB as it is, far less on the way."""
    answer = full.ask("/")
    assert answer.text.count('<li class="story"') == 50
    files = set(re.findall(r'(?:src|href)="(/static/[^"]+)"', answer.text))
    assert len(answer.body) + sum(len(full.ask(file).body) for file in files) < 200_000


def test_its_files_are_kept_for_ever_by_their_version(full: RunningSite) -> None:
    """With the version in the address; without it they are asked for again, and not sent again."""
    found = re.search(r'"(/static/style\.css\?v=[^"]+)"', full.ask("/").text)
    assert found
    kept = full.ask(found[1])
    assert kept.status == 200
    assert kept.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert kept.headers["content-type"] == "text/css; charset=utf-8"
    plain = full.ask("/static/style.css", headers={"if-none-match": kept.headers["etag"]})
    assert (plain.status, plain.body, plain.headers["cache-control"]) == (304, b"", "no-cache")
    assert full.ask("/static/style.css?v=older").headers["cache-control"] == "no-cache"
    assert full.ask("/static/nothing.css").status == 404


SOUP_TITLE = "Soup prices double in a month"
SOUP = """A bowl of barley soup at the covered market of Ettersund costs twice what it did in April. Stall holders
blame the price of leeks, which a late frost took in most valleys of the south, and a new fee for water. The town's
union of cooks asked the council on Friday to lower that fee until the next harvest. Councillor Berit Oom said she would
rather see fewer stalls than cheaper water. Students have begun to cook in the stairwell of the library."""
RESET = "id: en:1-0\nevent: reset\ndata: {}\n\n"
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", { value: hidden, configurable: true });
  document.dispatchEvent(new Event("visibilitychange"));
}"""
TOPS = "[...document.querySelectorAll('#stories > .story')].map(row => Math.round(row.getBoundingClientRect().top))"
TAGS_SEEN = """[...document.querySelectorAll('#stories .lang')].every(
  tag => tag.getBoundingClientRect().right <= tag.parentElement.getBoundingClientRect().right + 1
    && tag.getBoundingClientRect().width > 8)"""
BOX = "document.activeElement.closest('.story').getBoundingClientRect().toJSON()"
LUMINANCE = """(() => {
  const canvas = document.createElement('canvas').getContext('2d');
  canvas.fillStyle = getComputedStyle(document.body).backgroundColor;
  canvas.fillRect(0, 0, 1, 1);
  const [r, g, b] = canvas.getImageData(0, 0, 1, 1).data;
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
})()"""
