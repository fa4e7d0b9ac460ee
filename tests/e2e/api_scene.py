"""A site with two stories and a report, as the tests of the API ask it."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from msgspec import json

from tests.e2e.site import Answer, RunningSite, article, fill, running_site, site_runtime
from worker.web.limits import Rate

TOKEN = "a-token-of-the-tests-0123456789"
EDITOR = {"Authorization": f"Bearer {TOKEN}"}
GENEROUS = {"search": Rate(10_000, 0.0001), "similar": Rate(10_000, 0.0001), "login": Rate(10_000, 0.0001)}

BRIDGE = (
    "The harbour bridge of Port Vell was closed to all traffic on Monday after engineers found long cracks in the "
    "third pillar. The mayor, Ana Ruiz, said that repairs would take at least six weeks and that ferries would run "
    "every ten minutes until then. Shopkeepers on the northern bank fear for their business before the holidays."
)
REWRITTEN = (
    "The harbour bridge of Port Vell was shut to all traffic on Monday after engineers found long cracks in the third "
    "pillar. Mayor Ana Ruiz said that repairs would take at least six weeks and that ferries would run every ten "
    "minutes until then. Traders on the northern bank are afraid for their trade before Christmas, a survey says."
)
REPORT = (
    "Ferries were packed in Port Vell on Tuesday, a day after cracks in a pillar closed the harbour bridge. Commuters "
    "queued for an hour at the northern bank. Opposition leader Marc Soler asked why inspections of it had been "
    "put off for two years, and called on mayor Ana Ruiz to publish the reports of the engineers."
)
VOLCANO = (
    "A volcano on the island of Hesta erupted at dawn, sending ash eight kilometres into the sky. Two villages were "
    "evacuated and flights to the airport at Nordvik were cancelled, the civil protection office said."
)

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
