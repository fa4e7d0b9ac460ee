"""A server with the users of deploy/redis/users.acl, each with a password of the test's own.

Invariant: what each user may do is what the file says; only `default`, which the file shuts out, sees all, to look.
"""

import hashlib
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import redis

from tests.servers import Server, free_port

REDIS = Path(__file__).parents[2] / "deploy" / "redis"
NOBODY = "#" + "0" * 64
"""Stands in the file where a password's SHA-256 belongs; no password has it."""
OURS = ("poller", "pages", "worker", "web", "admin")
_COMMANDS = {"poll": "poller", "pages": "pages", "work": "worker", "serve": "web"}


def user_of(command: str) -> str:
    """The user of a process; `admin`, who runs all that are none."""
    return _COMMANDS.get(command, "admin")


def with_passwords(acl: str) -> str:
    """The file with passwords, `of-NAME` for each user."""

    def given(line: re.Match[str]) -> str:
        return f"{line[1]}#{hashlib.sha256(f'of-{line[2]}'.encode()).hexdigest()}"

    return re.sub(rf"^(user (\S+) on ){NOBODY}", given, acl, flags=re.MULTILINE)


@contextmanager
def file_of_users() -> Iterator[str]:
    """Its name, for a server that starts: with passwords, and with `default` let in, to look."""
    lines = with_passwords((REDIS / "users.acl").read_text()).splitlines()
    assert lines[0].startswith("user default off "), "who gives no password may do nothing"
    lines[0] = "user default on nopass ~* &* +@all"
    with tempfile.NamedTemporaryFile("w", prefix="sw-users-", suffix=".acl") as file:
        file.write("\n".join(lines) + "\n")
        file.flush()
        yield file.name


class Guarded:
    """A server whose users are those of the file; closed by its owner."""

    def __init__(self, kind: str) -> None:
        with file_of_users() as file:
            self.server = Server(kind, port=free_port(), aclfile=file)
        self._eyes: Any = redis.Redis(unix_socket_path=str(self.server.socket), decode_responses=True)

    def url(self, user: str) -> str:
        """The address by which a user comes."""
        return f"redis://{user}:of-{user}@127.0.0.1:{self.server.port}/0"

    def settings(self, command: str = "") -> dict[str, str]:
        """The addresses of who runs this command of Storywire's: of `admin`, where no process does."""
        return {"redis_url": self.url(user_of(command))}

    def may(self, user: str, *words: str) -> bool:
        """Whether a user may send this command."""
        return bool(self._eyes.execute_command("ACL", "DRYRUN", user, *words) == "OK")

    def refusals(self) -> set[tuple[str, str, str]]:
        """(user, what of it, what) of all that was refused so far."""
        found = {(each["username"], each["reason"], each["object"]) for each in self._eyes.acl_log(128)}
        assert all(reason != "auth" for _, reason, _ in found), f"wrong passwords: {found}"
        return found

    def keys(self) -> list[str]:
        """All that is there."""
        return sorted(self._eyes.scan_iter(count=1000))

    def close(self) -> None:
        """End it."""
        self._eyes.close()
        self.server.close()
