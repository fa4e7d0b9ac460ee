"""A story's page on a running site: what it says, where its address leads, and an editor's corrections on it."""

import re
import time
from collections.abc import Callable, Iterator
from html import unescape
from typing import Any, NamedTuple
from urllib.parse import urlencode

import pytest

from tests.e2e.site import Answer, RunningSite, article, fill, running_site, site_runtime
from tests.unit.articles import (
    CUP,
    CUP_TITLE,
    DAM,
    DAM_REPORT,
    DAM_REPORT_TITLE,
    DAM_REWRITE,
    DAM_REWRITE_TITLE,
    DAM_TITLE,
)
from worker.model import Article, story_id

TOKEN = "a-token-of-this-test-0123456789"
_languages = iter("de fr es it nl pt sv".split())
"""Stories of one language know nothing of those of another, so each test that changes some has its own."""


@pytest.fixture(scope="module")
def site(server_pool: Any) -> Iterator[RunningSite]:
    with site_runtime(server_pool.url("valkey"), token=TOKEN) as runtime, running_site(runtime) as running:
        yield running


class Told(NamedTuple):
    """The ids of two stories, and those of their articles by outlet."""

    dam: str
    cup: str
    name: Callable[[str], str]


@pytest.fixture(scope="module")
def told(site: RunningSite) -> Told:
    """Stories that no test changes."""
    return tell(site, "en")


@pytest.fixture
def own(site: RunningSite) -> Told:
    """Stories to change."""
    return tell(site, next(_languages))


def tell(site: RunningSite, lang: str) -> Told:
    """A flood as four articles tell it, and a cup final."""

    def made(name: str, title: str, text: str, minutes_ago: float, **more: Any) -> Article:
        at = time.time() - 60 * minutes_ago
        return article(f"{name}/{lang}", title, text, lang=lang, published=at, received=at + 1, **more)

    bad = "javascript:alert(1)"
    fill(
        site.runtime,
        [
            made("herald", DAM_TITLE, DAM, 100),
            made("post", DAM_TITLE, DAM, 88),
            made("echo", DAM_REWRITE_TITLE, DAM_REWRITE, 60),
            made("courier", DAM_REPORT_TITLE, DAM_REPORT, 40, url=bad),
            made("sports", CUP_TITLE, CUP, 30),
        ],
    )
    fill(site.runtime, [made("courier", DAM_REPORT_TITLE.replace("Army", "Navy"), DAM_REPORT, 40, revision=2, url=bad)])
    ids = [story_of(site, f"{name}/{lang}") for name in ("herald", "sports")]
    return Told(ids[0], ids[1], lambda name: f"{name}/{lang}")


def story_of(site: RunningSite, name: str) -> str:
    found = site.runtime.stories.article(name)
    assert found is not None, f"{name} is in the store"
    lang, member = found
    story = site.runtime.stories.find(lang, member.story)
    assert story is not None
    return story_id(lang, story.number)


def show(site: RunningSite, story: str, **headers: str) -> str:
    answer = site.ask(f"/stories/{story}", headers={"Accept": "text/html", **headers})
    assert answer.status == 200
    return answer.text


def words(page: str) -> str:
    """What a person reads of it."""
    shown = re.sub(r"<(script|style)\b.*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", shown)).split())


class Editor:
    """A browser that has logged in."""

    def __init__(self, site: RunningSite) -> None:
        self.site = site
        answer = self._send("/login", {"token": TOKEN}, "")
        assert answer.status == 303
        self.cookie = answer.headers["set-cookie"].partition(";")[0]

    def show(self, story: str) -> str:
        return show(self.site, story, Cookie=self.cookie)

    def send(self, path: str, page: str, **fields: str) -> Answer:
        """Send a form of a page."""
        found = re.search(r'name="csrf" value="([^"]+)"', page)
        assert found, "the page has a form for editors"
        return self._send(path, {"csrf": found[1], **{k.replace("_", "."): v for k, v in fields.items()}}, self.cookie)

    def done(self, answer: Answer) -> str:
        """What the page says to which a form led."""
        assert answer.status == 303, words(answer.text)
        after = self.site.ask(answer.headers["location"], headers={"Cookie": self.cookie, "Accept": "text/html"})
        return words(after.text)

    def _send(self, path: str, form: dict[str, str], cookie: str) -> Answer:
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "text/html", "Cookie": cookie}
        return self.site.ask(path, "POST", urlencode(form).encode(), headers)


@pytest.fixture(scope="module")
def editor(site: RunningSite) -> Editor:
    return Editor(site)


def test_the_page_says_who_was_first_and_who_repeats_whom(site: RunningSite, told: Told) -> None:
    page = show(site, told.dam)
    said = words(page)
    assert "Herald was first" in said
    assert "1 copy, 12 min later; 1 rewrite, 40 min later; 1 report of its own, 60 min later." in said
    assert "copy of Herald, 12 min later the same text: joins at any score" in said
    assert "rewrite of Herald, 40 min later score" in said
    assert "report of its own, 60 min after the first score" in said
    assert len(re.findall(r'<use href="#(first|copy|rewrite|report)" x=', page)) == 4, "a mark for each article"
    assert page.count('<path class="line copy" d="M') == 2, "the line, and its sign in the legend"


def test_times_have_seconds_where_a_story_took_less_than_an_hour(site: RunningSite, told: Told) -> None:
    quick, long = words(show(site, told.cup)), words(show(site, told.dam))
    assert re.search(r"\b1 \d\d:\d\d:\d\d Sports", quick)
    assert re.search(r"\b1 (\d\d-\d\d )?\d\d:\d\d Herald", long)


def test_the_page_tells_headlines_over_time_and_what_the_texts_share(site: RunningSite, told: Told) -> None:
    page = show(site, told.dam)
    said = words(page)
    assert re.search(r"Courier article 4 from \S+ \S+ UTC Army boats .* now, since \S+ \S+ UTC Navy boats", said)
    terms = [unescape(term) for term in re.findall(r'<li class="share-\d+"><bdi>([^<]+)', page)]
    assert any(term.startswith("vell") for term in terms)
    assert "of its 3 distinct texts" in said


def test_only_addresses_of_the_web_are_links(site: RunningSite, told: Told) -> None:
    page = show(site, told.dam)
    assert "javascript:" not in page
    assert f'href="https://{told.name("herald")}"' in page


def test_an_id_that_was_merged_leads_to_the_story_that_took_it_in(site: RunningSite, own: Told) -> None:
    site.runtime.editing.merge([own.dam, own.cup])
    answer = site.ask(f"/stories/{own.cup}", headers={"Accept": "text/html"})
    assert answer.status == 301
    assert answer.headers["location"] == f"/stories/{own.dam}?was={own.cup}"
    after = words(site.ask(answer.headers["location"], headers={"Accept": "text/html"}).text)
    assert f"{own.cup} was merged into this story, {own.dam}." in after
    assert f"It took in {own.cup}" in after
    assert f"merge {own.dam} {own.cup}" in after, "the correction"


@pytest.mark.parametrize("name", ["en-zzzz", "nonsense", "en}:x-1", "%2e%2e-1", "x" * 3000])
def test_an_id_of_no_story_is_answered_with_what_to_do(site: RunningSite, name: str) -> None:
    answer = site.ask(f"/stories/{name}", headers={"Accept": "text/html"})
    assert answer.status == 404
    assert "To the stories" in words(answer.text)


def test_who_may_not_edit_sees_no_forms_but_where_to_log_in(site: RunningSite, told: Told) -> None:
    page = show(site, told.dam)
    assert 'method="post"' not in page
    assert f'href="/login?next=/stories/{told.dam}"' in page


def test_an_editor_splits_articles_off(site: RunningSite, own: Told, editor: Editor) -> None:
    done = editor.send(f"/stories/{own.dam}/split", editor.show(own.dam), pick_4=own.name("courier"))
    new = story_of(site, own.name("courier"))
    assert new != own.dam
    said = editor.done(done)
    assert f"{new} is the story of 1 article taken out of {own.dam} correction {own.dam[:2]}." in said
    assert "put here by an editor" in words(show(site, new))


def test_an_editor_merges_and_is_led_to_the_story_that_stayed(site: RunningSite, own: Told, editor: Editor) -> None:
    page = editor.show(own.cup)
    done = editor.send(f"/stories/{own.cup}/merge", page, **{"with": f"{site.url}/stories/{own.dam}"})
    assert done.headers["location"].startswith(f"/stories/{own.dam}?done=")
    assert f"{own.dam} took in {own.cup}" in editor.done(done)


def test_an_editor_pins_an_article(own: Told, editor: Editor) -> None:
    done = editor.send(f"/stories/{own.dam}/pin", editor.show(own.dam), article=own.name("echo"))
    said = editor.done(done)
    assert f'"{DAM_REWRITE_TITLE}" is in {own.dam} for good' in said, "the headline, not the id"
    assert f"pin {own.name('echo')} {own.dam} Undo" in said


def test_an_editor_undoes_a_correction(site: RunningSite, own: Told, editor: Editor) -> None:
    made = site.runtime.editing.split(own.dam, [own.name("courier")]).made
    assert "/undo" not in show(site, own.dam), "only who may edit"
    page = editor.show(own.dam)
    assert f'name="correction" value="{made.id}"' in page
    said = editor.done(editor.send(f"/stories/{own.dam}/undo", page, correction=made.id))
    assert f"lifted {made.id}; {own.dam} is one story again" in said
    assert story_of(site, own.name("courier")) == own.dam
    assert made.id not in [named.id for named in site.runtime.editing.corrections()]
    again = editor.send(f"/stories/{own.dam}/undo", page, correction=made.id)
    assert again.status == 400
    assert f"Nothing was changed: {made.id} is no correction that is in force" in words(again.text)


def test_an_editor_forgets_an_article_after_being_asked(site: RunningSite, own: Told, editor: Editor) -> None:
    name = own.name("sports")
    headers = {"Cookie": editor.cookie, "Accept": "text/html"}
    asked = site.ask(f"/stories/{own.cup}/forget?{urlencode({'article': name})}", headers=headers)
    assert "Forget this article for good?" in words(asked.text)
    assert site.runtime.stories.article(name), "asking changes nothing"
    done = editor.send(f"/stories/{own.cup}/forget", asked.text, article=name)
    assert site.runtime.stories.article(name) is None
    said = editor.done(done)
    assert f'forgotten: 1 article ("{CUP_TITLE}") ended: {own.cup}' in said
    assert f"No story {own.cup}" in said, "its only article is gone"


def test_what_cannot_be_is_said_and_changes_nothing(site: RunningSite, told: Told, editor: Editor) -> None:
    page = editor.show(told.dam)
    for path, fields, said in (
        ("split", {}, "no article was picked"),
        ("split", {"pick_1": "nobody/1"}, "'nobody/1' is no article of"),
        ("merge", {"with": "en-zzzz"}, "'en-zzzz' is no story of the store"),
        ("pin", {"article": "nobody/1"}, "'nobody/1' is no article of the store"),
        ("forget", {"article": "nobody/1"}, "nobody/1 is no article of the store"),
    ):
        answer = editor.send(f"/stories/{told.dam}/{path}", page, **fields)
        assert answer.status == 400
        assert f"Nothing was changed: {said}" in words(answer.text)
        assert "`storywire" not in words(answer.text), "a page speaks of pages, not of commands"
    assert story_of(site, told.name("courier")) == told.dam


@pytest.mark.parametrize("what", ["split", "merge", "pin", "undo", "forget"])
def test_nothing_changes_without_the_token_of_a_form(site: RunningSite, told: Told, editor: Editor, what: str) -> None:
    form = {"with": told.cup, "article": told.name("courier"), "pick.4": told.name("courier")}
    for cookie, csrf in (("", ""), (editor.cookie, ""), (editor.cookie, "x" * 32)):
        headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": cookie}
        body = urlencode({**form, "csrf": csrf}).encode()
        assert site.ask(f"/stories/{told.dam}/{what}", "POST", body, headers).status == 403
    assert story_of(site, told.name("courier")) == told.dam
    assert story_of(site, told.name("sports")) == told.cup
