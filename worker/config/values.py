"""What a setting may be: from its text to its value.

Invariant: a parser takes any text, and raises ValueError with what to write instead.
"""

import re
from collections.abc import Callable
from ipaddress import ip_address
from pathlib import Path

_UNITS_S = {"ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}


def duration(text: str) -> float:
    """Seconds of `90s`, `15m`, `24h`, `30d`, `250ms`; raises ValueError for anything else."""
    match = re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", text.strip())
    if not match:
        raise ValueError("write a duration like 90s, 15m, 24h or 30d")
    return float(match[1]) * _UNITS_S[match[2]]


def path(text: str) -> Path:
    """A path, `~` being the user's home. For a user who has none, as systemd and Kubernetes make them up, it is a
    folder that is not there: who needs it is told so, and who has a server of their own does not."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        return Path("/nonexistent", *Path(text).parts[1:])


def whole_path(text: str) -> str:
    """An absolute path, empty where none is given."""
    return str(path(text).absolute()) if text else ""


def count(text: str) -> int:
    """A whole number from 1."""
    if not text.strip().isdecimal() or int(text) < 1:
        raise ValueError("write a whole number from 1")
    return int(text)


def share(text: str) -> float:
    """A number from 0 to 1."""
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= 1:
        raise ValueError("write a number from 0 to 1, like 0.5")
    return value


def endpoints(text: str) -> list[tuple[str, int]]:
    """The (IP address, port) pairs of `127.0.0.1:8000, [::1]:80`; raises ValueError for anything else."""
    found = []
    for place in text.split(","):
        host, colon, port = place.strip().rpartition(":")
        bare = host.removeprefix("[").removesuffix("]")
        try:
            address = ip_address(bare)
        except ValueError:
            colon = ""
        if not colon or not re.fullmatch(r"[0-9]{1,5}", port) or (":" in bare) == (host == bare):
            raise ValueError("write 0, 1, or addresses like 192.168.1.5:8080, [fd00::5]:80")
        found.append((str(address), int(port)))
    return found


def reachable(text: str) -> str:
    """`0`, `1`, or endpoints, of this machine and of private networks, that feeds may lead to."""
    text = text.strip()
    return text if text in ("0", "1") else ",".join(place.strip() for place in text.split(",") if endpoints(place))


def base_url(text: str) -> str:
    """An http(s) address without a slash at its end, empty where none is given."""
    text = text.strip().rstrip("/")
    if text and not re.fullmatch(r"https?://[A-Za-z0-9.\-\[\]:]+(/[A-Za-z0-9._~/-]*)?", text):
        raise ValueError("write the address under which others reach this machine, like https://news.example.org/wire")
    return text


def listener(text: str) -> str:
    """One endpoint, whose port may be one."""
    try:
        [(_, port)] = endpoints(text)
    except ValueError:
        port = 65536
    if port > 65535:
        raise ValueError("write an IP address and a port like 127.0.0.1:8080 or [::]:8080")
    return text.strip()


def listener_or_none(text: str) -> str:
    """One endpoint, empty where none is given."""
    return listener(text) if text else ""


def amount(text: str) -> int:
    """A whole number from 0."""
    if not text.strip().isdecimal():
        raise ValueError("write a whole number from 0")
    return int(text)


def token(text: str) -> str:
    """A secret of 16 to 512 printable characters, empty where none is given."""
    text = text.strip()
    if text and not re.fullmatch(r"[!-~]{16,512}", text):
        raise ValueError(
            "write 16 or more letters, digits or signs without spaces, as `openssl rand -hex 24` makes them"
        )
    return text


def choice(*allowed: str) -> Callable[[str], str]:
    """A parser that takes these words in any case."""

    def parse(text: str) -> str:
        if text.lower() not in allowed:
            raise ValueError("write one of " + ", ".join(allowed))
        return text.lower()

    return parse
