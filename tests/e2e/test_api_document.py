"""The API is what its document says: schemathesis asks it for all of that, and for what it must refuse."""

import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.command import ROOT
from tests.e2e.api_scene import TOKEN, api_site
from tests.e2e.site import Answer, RunningSite
from worker.web.api import table

EXAMPLES = re.compile(r"```sh\n(.*?)```", re.DOTALL)


@pytest.fixture
def site(server_pool: Any) -> Iterator[RunningSite]:
    with api_site(server_pool.url("valkey")) as running:
        yield running


def curl(site: RunningSite, command: str) -> Answer:
    """What a curl command of the documentation asks, of this site."""
    words = shlex.split(command.replace("$STORYWIRE_TOKEN", TOKEN))
    method, body, headers, path = "GET", None, dict[str, str](), ""
    rest = iter(words[1:])
    for word in rest:
        match word:
            case "-X":
                method = next(rest)
            case "-H":
                name, _, value = next(rest).partition(": ")
                headers[name] = value
            case "--json":
                method, body = "POST", next(rest).encode()
                headers["Content-Type"] = "application/json"
            case _:
                assert word.startswith("http"), f"{word!r} is not known here: {command}"
                path = "/" + word.split("/", 3)[3]
    return site.ask(path, method, body, headers)


def test_the_examples_of_the_docs_work(site: RunningSite) -> None:
    """In their order, as the later ones correct what the earlier ones show; the stream, which has no end, has tests of
    its own."""
    text = (ROOT / "docs" / "api.md").read_text()
    commands = [line for block in EXAMPLES.findall(text) for line in block.replace("\\\n", " ").splitlines() if line]
    assert len(commands) > 10
    for command in commands:
        if "/stream" not in command:
            answer = curl(site, command)
            assert answer.status == 200, f"{command}\n{answer.text}"


def test_the_examples_of_the_page_work(site: RunningSite) -> None:
    """Those of reading; of feeds there are none here."""
    page = site.ask("/api").text
    shown = re.findall(r"<code>(curl .*?)</code>", page, re.DOTALL)
    assert len(shown) == page.count('class="panel operation"')
    for command in shown:
        plain = command.replace("&#39;", "'").replace("&#34;", '"').replace("&amp;", "&").replace("\\\n", " ")
        if "-X" not in plain and "Bearer" not in plain and "/stream" not in plain and "/feeds/" not in plain:
            answer = curl(site, plain)
            assert answer.status == 200, f"{plain}\n{answer.text}"


def test_the_page_shows_all_that_is_served(site: RunningSite) -> None:
    answer = site.ask("/api")
    assert answer.headers["content-type"].startswith("text/html")
    assert not re.search(r"<script(?![^>]*\bsrc=)|\sstyle=|\son\w+=", answer.text)
    assert not re.search(r'(?:src|href)="(?!/|#)', answer.text)
    document = site.ask("/api/openapi.json").json
    for path, operations in document["paths"].items():
        assert f"/api{path}</code>" in answer.text
        for operation in operations.values():
            assert f'id="{operation["operationId"]}"' in answer.text
    anchors = set(re.findall(r'href="#([^"]+)"', answer.text)) - {"main"}
    assert anchors <= set(re.findall(r'\bid="([^"]+)"', answer.text))


def test_every_operation_and_field_is_described(site: RunningSite) -> None:
    document = site.ask("/api/openapi.json").json
    assert document["openapi"].startswith("3.1")
    for schema in document["components"]["schemas"].values():
        assert schema["description"]
    for operations in document["paths"].values():
        for operation in operations.values():
            assert operation["summary"]
            assert operation["description"].endswith(".")
            assert all(parameter["description"] for parameter in operation.get("parameters", ()))
            assert {"200", "400", "401", "429", "503"} <= operation["responses"].keys()


def schemathesis(site: RunningSite, folder: Path, *arguments: str) -> None:
    """Run it on all operations but the stream, which has no end; with names that there are. Of what a schema refuses
    it makes bodies over 1 MB too: 413 is a refusal as the document has it."""
    feed, _ = site.runtime.feeds.add("https://example.org/feed", "A feed", 0.0)
    names = {"story": "en-1", "article": "herald/1", "feed": feed, "correction": "en.1"}
    said = "\n".join(f'"path.{name}" = "{value}"' for name, value in names.items())
    refusals = "[checks.negative_data_rejection]\nexpected-statuses = [400, 401, 404, 405, 409, 413, 415, 429, 503]"
    (folder / "schemathesis.toml").write_text(f"[parameters]\n{said}\n{refusals}\n")
    command = [sys.executable, "-m", "schemathesis.cli", "run", f"{site.url}/api/openapi.json", "--checks", "all"]
    command += ["--mode", "all", "--exclude-path", "/v1/stream", "-H", f"Authorization: Bearer {TOKEN}", "--no-color"]
    done = subprocess.run([*command, *arguments], cwd=folder, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout[-6_000:] + done.stderr[-2_000:]


def test_schemathesis_finds_nothing(site: RunningSite, tmp_path: Path) -> None:
    """A bounded look: the corner cases of each schema, and a few examples of each operation."""
    schemathesis(site, tmp_path, "--phases", "coverage,fuzzing", "--max-examples", "3")


@pytest.mark.slow
def test_schemathesis_finds_nothing_in_a_long_look(site: RunningSite, tmp_path: Path) -> None:
    schemathesis(site, tmp_path, "--phases", "examples,coverage,fuzzing,stateful", "--max-examples", "200")


def test_what_is_described_is_served(site: RunningSite) -> None:
    """No operation is in the table and not in the document, nor the other way round."""
    document = site.ask("/api/openapi.json").json
    described = {(method.upper(), path) for path, of in document["paths"].items() for method in of}

    class Unasked:
        """Stands where a site stands: the table is made without asking it."""

    served = {(each.method, each.path) for each in table(Unasked())}  # type: ignore[arg-type]
    assert described == served
