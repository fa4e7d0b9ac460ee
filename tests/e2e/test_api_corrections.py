"""Corrections over the API: with the token alone, to the same end as on the command line."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.api_scene import EDITOR, api_site, post, problem
from tests.e2e.site import RunningSite, article, fill
from tests.unit.harbour import REPORT, REWRITTEN

OTHER = " ".join(f"other{n}" for n in range(40))
"""A text that shares no word with the others, in whatever language they are said to be."""


@pytest.fixture(scope="module")
def site(server_pool: Any) -> Iterator[RunningSite]:
    with api_site(server_pool.url("valkey")) as running:
        yield running


def stories(site: RunningSite, lang: str) -> None:
    """Story 1 of a language of the test's own, with three articles, and story 2, with one."""
    texts = [("h/1", REWRITTEN), ("g/1", REWRITTEN + " More soon."), ("p/1", REPORT), ("g/2", OTHER)]
    fill(site.runtime, [article(f"{lang}-{name}", f"Title {name}", text, lang=lang) for name, text in texts])
    assert len(site.ask(f"/api/v1/stories/{lang}-1").json["members"]) == 3


def members(site: RunningSite, story: str) -> list[str]:
    return [member["id"] for member in site.ask(f"/api/v1/stories/{story}").json["members"]]


def test_a_split_makes_a_story_and_merging_undoes_it(site: RunningSite) -> None:
    stories(site, "de")
    told = post(site, "/api/v1/stories/de-1/split", {"articles": ["de-p/1"]}).json
    assert (told["kind"], told["stories"], told["articles"]) == ("split", ["de-1", "de-3"], ["de-p/1"])
    assert told["told"] == "de-3 is the story of 1 article taken out of de-1"
    assert members(site, "de-3") == ["de-p/1"]
    problem(post(site, "/api/v1/stories/de-1/split", {"articles": ["de-p/1"]}), 409, "is no article of de-1")
    merged = post(site, "/api/v1/stories/de-3/merge", {"with": ["de-1"]}).json
    assert merged["stories"] == ["de-1", "de-3"]
    assert merged["overrides"] == [{"correction": told["correction"], "partly": False}]
    problem(post(site, "/api/v1/stories/de-3/merge", {"with": ["de-1"]}), 409, "one story already")
    survivor = site.ask("/api/v1/stories/de-3")
    assert survivor.json["story"] == "de-1"
    assert survivor.json["moved_from"] == "de-3"
    assert survivor.json["merged"] == ["de-3"]
    assert survivor.headers["content-location"] == "/api/v1/stories/de-1"
    assert [each["correction"] for each in survivor.json["corrections"]] == [merged["correction"]]
    undone = post(site, f"/api/v1/corrections/{merged['correction']}/undo").json
    assert (undone["stories"], members(site, "de-4")) == (["de-4"], ["de-p/1"])
    assert undone["told"] == f"lifted {merged['correction']}; de-4 is a story of its own again"


def test_a_pinned_article_stays_and_a_correction_is_lifted(site: RunningSite) -> None:
    stories(site, "fr")
    told = post(site, "/api/v1/stories/fr-2/pin", {"article": "fr-p/1"}).json
    assert told["told"] == "fr-p/1 is in fr-2 for good"
    assert set(members(site, "fr-2")) == {"fr-g/2", "fr-p/1"}
    moved = next(m for m in site.ask("/api/v1/stories/fr-2").json["members"] if m["id"] == "fr-p/1")
    assert moved["correction"] == told["correction"]
    listed = [each["correction"] for each in site.ask("/api/v1/corrections").json["corrections"]]
    assert told["correction"] in listed
    undone = post(site, f"/api/v1/corrections/{told['correction']}/undo").json
    assert undone["undone"]["correction"] == told["correction"]
    assert (undone["stories"], undone["later"]) == ([], []), "what was pinned stays"
    assert set(members(site, "fr-2")) == {"fr-g/2", "fr-p/1"}
    problem(post(site, f"/api/v1/corrections/{told['correction']}/undo"), 404, "is no correction")


def test_a_forgotten_article_is_gone_for_good(site: RunningSite) -> None:
    stories(site, "it")
    told = post(site, "/api/v1/articles/it-p%2F1/forget").json
    assert (told["articles"], told["changed"], told["ended"]) == (1, ["it-1"], [])
    assert members(site, "it-1") == ["it-h/1", "it-g/1"]
    problem(site.ask("/api/v1/articles/it-p/1"), 404)
    problem(post(site, "/api/v1/articles/it-p%2F1/forget"), 404, "forgotten already")
    assert post(site, "/api/v1/articles/it-g%2F2/forget").json["ended"] == ["it-2"]
    problem(site.ask("/api/v1/stories/it-2"), 404)
    fill(site.runtime, [article("it-p/1", "Title", REPORT, lang="it")])
    problem(site.ask("/api/v1/articles/it-p/1"), 404)


def test_a_feed_is_not_forgotten_by_the_name_of_an_article(site: RunningSite) -> None:
    feed, _ = site.runtime.feeds.add("https://example.org/feed", "", 0.0)
    problem(post(site, f"/api/v1/articles/{feed}/forget"), 404, "is no article")
    problem(post(site, "/api/v1/articles/https%3A%2F%2Fherald%2F1/forget"), 404, "is no article")
    assert site.runtime.feeds.get(feed) is not None
    assert site.ask("/api/v1/articles/herald/1").status == 200


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/v1/stories/en-1/split", {"articles": ["post/1"]}),
        ("/api/v1/stories/en-1/merge", {"with": ["en-2"]}),
        ("/api/v1/stories/en-1/pin", {"article": "post/1"}),
        ("/api/v1/articles/post%2F1/forget", None),
        ("/api/v1/corrections/en.1/undo", None),
    ],
)
def test_a_correction_takes_the_token(site: RunningSite, path: str, body: Any) -> None:
    before = site.ask("/api/v1/stories/en-1").json["members"]
    for headers in ({}, {"Authorization": "Bearer wrong"}, {"Authorization": f"Basic {EDITOR['Authorization'][7:]}"}):
        answer = post(site, path, body, headers)
        problem(answer, 401, "Authorization: Bearer TOKEN")
        assert answer.headers["www-authenticate"].startswith("Bearer")
    problem(post(site, path, body, EDITOR | {"Origin": "https://evil.example"}), 403)
    refused = site.ask(path, headers=EDITOR)
    problem(refused, 405)
    assert refused.headers["allow"] == "POST"
    assert site.ask("/api/v1/stories/en-1").json["members"] == before


def test_without_a_token_nobody_corrects(server_pool: Any) -> None:
    with api_site(server_pool.url("valkey"), token="") as open_site:
        problem(post(open_site, "/api/v1/stories/en-1/pin", {"article": "post/1"}), 403, "set STORYWIRE_TOKEN")
        assert open_site.ask("/api/v1/corrections").json == {"corrections": []}


@pytest.mark.parametrize(
    ("path", "body", "status", "said"),
    [
        ("stories/en-zz/split", {"articles": ["a"]}, 404, "is no story"),
        ("stories/nonsense/pin", {"article": "a"}, 404, "is no story"),
        ("stories/en-1/split", {"articles": []}, 400, "$.articles"),
        ("stories/en-1/split", {"articles": [""]}, 400, "$.articles"),
        ("stories/en-1/split", {"articles": ["a"] * 65}, 400, "$.articles"),
        ("stories/en-1/split", {"articles": "herald/1"}, 400, "$.articles"),
        ("stories/en-1/split", {"articles": ["gazette/2"]}, 409, "is no article of en-1"),
        ("stories/en-1/split", {}, 400, "articles"),
        ("stories/en-1/merge", {"with": ["en-1"]}, 409, "name two"),
        ("stories/en-1/merge", {"with": ["xx-1"]}, 409, "is no story"),
        ("stories/en-1/merge", {"into": "en-2"}, 400, "into"),
        ("stories/en-1/pin", {"article": "nobody/1"}, 409, "is no article of the store"),
        ("stories/en-1/pin", {"article": ["herald/1"]}, 400, "$.article"),
        ("corrections/en.99/undo", None, 404, "is no correction"),
        ("corrections/%00/undo", None, 404, "is no correction"),
    ],
)
def test_what_is_refused_changes_nothing(site: RunningSite, path: str, body: Any, status: int, said: str) -> None:
    before = site.ask("/api/v1/stories/en-1").json["members"]
    problem(post(site, f"/api/v1/{path}", body), status, said)
    assert site.ask("/api/v1/stories/en-1").json["members"] == before
