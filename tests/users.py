"""The users of deploy/redis/users.acl, on every server of the tests: what a process does there it does as its own user.

Invariant: nobody needs a password here, and a test itself, which is nobody of them, may do everything.
"""

import re
from pathlib import Path
from urllib.parse import urlsplit

REDIS = Path(__file__).parents[1] / "deploy" / "redis"
NOBODY = "#" + "0" * 64
"""Stands in the file where a password's SHA-256 belongs; no password has it."""
USERS = {"poll": "poller", "pages": "pages", "work": "worker", "serve": "web"}
"""Whose work a command of Storywire's is; all others are `admin`."""
ALL = "user default on nopass ~* &* +@all"
FOLDER = "sw-server-"
"""How the folders of servers begin that have these users."""


def lines() -> list[str]:
    """The file, with nobody's password asked for, and `default` open to all."""
    ours = re.sub(rf"^(user \S+ on ){NOBODY}", r"\1nopass", (REDIS / "users.acl").read_text(), flags=re.MULTILINE)
    return [ALL, *ours.splitlines()[1:]]


def as_user(url: str, command: str) -> str:
    """The address by which who runs this command comes, where it is of a server with these users."""
    parts = urlsplit(url)
    if parts.scheme != "unix" or parts.netloc or not Path(parts.path).parent.name.startswith(FOLDER):
        return url
    return parts._replace(netloc=f"{USERS.get(command, 'admin')}@").geturl()
