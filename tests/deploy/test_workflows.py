"""The workflows of .github: well formed, and nothing that a stranger's pull request could use."""

import re
from pathlib import Path

import pytest

from tests.deploy.tools import run

GITHUB = Path(__file__).parents[2] / ".github"
WORKFLOWS = sorted((GITHUB / "workflows").glob("*.yml"))


def test_they_are_what_github_reads() -> None:
    """By the published schemas, which come with the package."""
    run("check-jsonschema", "--builtin-schema", "vendor.github-workflows", *WORKFLOWS)
    run("check-jsonschema", "--builtin-schema", "vendor.dependabot", GITHUB / "dependabot.yml")


def test_no_audit_finds_anything() -> None:
    """zizmor's audits, the pedantic ones too: injection, credentials left behind, permissions, what is not pinned."""
    run("zizmor", "--offline", "--quiet", "--no-progress", "--persona", "pedantic", GITHUB)


@pytest.mark.parametrize("workflow", WORKFLOWS, ids=lambda path: path.stem)
def test_actions_are_pinned_by_commit_and_permissions_are_least(workflow: Path) -> None:
    """Each action by its hash with the version beside it, one hash a version everywhere; only reading at the top."""
    text = workflow.read_text(encoding="utf-8")
    uses = re.findall(r"uses: (.*)", text)
    assert uses, "a workflow without actions"
    assert [each for each in uses if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40} # v[0-9.]+", each)] == []
    assert re.search(r"^permissions:( \{\}|\n  contents: read)$", text, re.MULTILINE)
    assert "pull_request_target" not in text


def test_one_version_of_an_action_is_used() -> None:
    """Or one workflow would be forgotten when a version is found to be bad."""
    found = re.findall(r"uses: (\S+)@(\S+)", "".join(path.read_text(encoding="utf-8") for path in WORKFLOWS))
    assert len({name for name, _ in found}) == len(set(found))
