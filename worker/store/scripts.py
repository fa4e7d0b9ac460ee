"""Loads the Lua scripts of `store/lua/`, one file each, and runs them by their hash."""

from functools import cache
from importlib import resources
from typing import Any

from redis import Redis
from redis.commands.core import Script

THOUGH_FULL = "#!lua flags=allow-oom\n"
"""The first line of a script that may write where maxmemory is reached."""


@cache
def source(name: str) -> str:
    """The text of `lua/NAME.lua`."""
    return resources.files(__package__).joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")


def load(redis: "Redis", name: str, *, though_full: bool = False) -> Script:
    """A callable script: `script(keys=[...], args=[...])`; loads itself into a server that lacks it.

    though_full: it may write where maxmemory is reached, for what makes room there.
    """
    script: Any = redis.register_script((THOUGH_FULL if though_full else "") + source(name))
    return script  # type: ignore[no-any-return]
