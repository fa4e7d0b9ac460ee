"""What a demo takes of the environment."""

from pathlib import Path

import pytest

from worker.cli.demo import _settings_in


@pytest.mark.parametrize(
    ("given", "allowed"),
    [
        ("", "127.0.0.1:5"),
        ("0", "127.0.0.1:5"),
        ("1", "1"),
        ("127.0.0.1:9", "127.0.0.1:9,127.0.0.1:5"),
    ],
)
def test_a_demo_reaches_its_site_besides_what_the_user_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str, allowed: str
) -> None:
    monkeypatch.setenv("STORYWIRE_ALLOW_PRIVATE", given)
    assert _settings_in(str(tmp_path), "http://127.0.0.1:5", None).allow_private == allowed
