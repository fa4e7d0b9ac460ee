"""What a log says of a request: never the secret end of a callback's address."""

import pytest

from worker.web.access import shown_path


@pytest.mark.parametrize(
    ("path", "shown"),
    [
        ("/websub/feed/secret", "/websub/feed/..."),
        ("/wire/websub/feed/secret", "/wire/websub/feed/..."),
        ("/websub/feed/secret/more", "/websub/feed/..."),
        ("/websub/feed", "/websub/feed"),
        ("/healthz", "/healthz"),
        ("/" + "x" * 999, "/" + "x" * 199),
    ],
)
def test_a_path_is_shown_without_what_makes_it_secret(path: str, shown: str) -> None:
    assert shown_path(path) == shown
