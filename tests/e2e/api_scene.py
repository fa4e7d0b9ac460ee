"""A site with two stories and a report, as the tests of the API ask it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from msgspec import json

from tests.e2e.site import Answer, RunningSite, article, fill, running_site, site_runtime
from tests.unit.harbour import BRIDGE, REPORT, REWRITTEN, VOLCANO
from worker.web.limits import Rate

TOKEN = "a-token-of-the-tests-0123456789"
EDITOR = {"Authorization": f"Bearer {TOKEN}"}
GENEROUS = {"search": Rate(10_000, 0.0001), "similar": Rate(10_000, 0.0001), "login": Rate(10_000, 0.0001)}

FERRIES = "https://www.port-vell-post.co.uk/2026/ferries.html"
"""The address of post/1, as its feed links to it but for the tracking."""


@contextmanager
def api_site(url: str, **settings: str) -> Iterator[RunningSite]:
    """A site with a token: story en-1 has herald/1, its rewrite gazette/1 and the report post/1; en-2 has gazette/2."""
    with site_runtime(url, None, **({"token": TOKEN} | settings)) as runtime:
        fill(
            runtime,
            [
                article("herald/1", "Bridge in Port Vell closed after cracks are found", BRIDGE),
                article("gazette/1", "Port Vell shuts its bridge", REWRITTEN),
                article("post/1", "Ferries packed in Port Vell", REPORT, url=f"{FERRIES}?at_medium=rss"),
                article("gazette/2", "Volcano on Hesta erupts", VOLCANO),
            ],
        )
        with running_site(runtime, rates=GENEROUS) as site:
            yield site


def post(site: RunningSite, path: str, body: Any = None, headers: Mapping[str, str] = EDITOR) -> Answer:
    """POST JSON, as the editor unless told otherwise."""
    given = b"" if body is None else json.encode(body)
    return site.ask(path, "POST", given, {"Content-Type": "application/json", **headers})


def problem(answer: Answer, status: int, said: str = "") -> None:
    """The answer is a problem of this status, whose line holds these words."""
    assert answer.status == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    told = answer.json
    assert told.keys() == {"type", "title", "status", "detail"}
    assert told["status"] == status
    assert said in told["detail"]
    assert "\n" not in told["detail"]
