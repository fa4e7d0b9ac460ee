"""The commands of docs/deploy, as whoever follows a page types them."""

import re
from pathlib import Path

_PAGES = Path(__file__).parents[2] / "docs" / "deploy"


def commands(page: str, heading: str) -> list[str]:
    """The blocks of commands under a heading of a page, in their order; files that are shown in a list are none."""
    text = (_PAGES / f"{page}.md").read_text(encoding="utf-8")
    found = re.search(rf"^## {re.escape(heading)}\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL)
    assert found, f"{page}.md has no heading {heading}"
    blocks = re.findall(r"(?:^    \S.*\n(?:^(?:    .*)?\n)*)", found[1], re.MULTILINE)
    return [re.sub(r"^    ", "", block, flags=re.MULTILINE) for block in blocks]
