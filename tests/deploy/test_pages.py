"""The pages of docs: each way to run it says the same five things; every link and command leads somewhere."""

import re
from functools import cache
from pathlib import Path

import click
import pytest

from worker.cli import cli
from worker.config import SETTINGS

ROOT = Path(__file__).parents[2]
WAYS = sorted((ROOT / "docs" / "deploy").glob("*.md"))
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
HEADINGS = ["Install", "Upgrade", "Back up and restore", "Scale", "What to watch"]


def named(path: Path) -> str:
    return str(path.relative_to(ROOT))


@cache
def anchors(path: Path) -> set[str]:
    """What may stand after `#`: the headings as they are made into addresses."""
    heads = re.findall(r"^#+ (.+)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).strip().replace(" ", "-") for head in heads}


@pytest.mark.parametrize("page", WAYS, ids=named)
def test_a_way_to_run_it_says_the_same_five_things_and_what_was_tried(page: Path) -> None:
    """In this order, so that who changes from one way to another finds what they look for."""
    text = page.read_text(encoding="utf-8")
    found = [head for head in re.findall(r"^## (.+)$", text, re.MULTILINE) if head in HEADINGS]
    assert found == HEADINGS
    assert "\n**Tried**" in text


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_link_leads_somewhere(page: Path) -> None:
    """To a file of the repository, and to a heading that is there."""
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    for link in re.findall(r"\]\(([^)\s]+)\)", text):
        place, _, anchor = link.partition("#")
        if "://" in place or place.startswith("mailto:"):
            continue
        target = (page.parent / place).resolve() if place else page
        assert target.exists(), f"{named(page)}: {link}"
        assert not anchor or anchor in anchors(target), f"{named(page)}: {link}: no such heading"


@pytest.mark.parametrize("page", PAGES, ids=named)
def test_every_setting_and_command_that_a_page_names_exists(page: Path) -> None:
    """As a reader would type them."""
    text = page.read_text(encoding="utf-8")
    variables = {setting.variable for setting in SETTINGS}
    assert set(re.findall(r"\bSTORYWIRE_[A-Z_]+[A-Z]\b", text)) - variables == set()
    for words in re.findall(r"`storywire ((?:[a-z]+ ?)+)", text):
        command: click.Command = cli
        for word in words.split():
            if not isinstance(command, click.Group):
                break
            found = command.get_command(click.Context(command), word)
            assert found is not None, f"{named(page)}: storywire {words}"
            command = found
