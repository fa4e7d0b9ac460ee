"""Loads the Lua scripts of `store/lua/`, one file each, and runs them by their hash."""

from functools import cache
from importlib import resources
from typing import Any

from redis import Redis
from redis.commands.core import Script


@cache
def source(name: str) -> str:
    """The text of `lua/NAME.lua`."""
    return resources.files(__package__).joinpath("lua", f"{name}.lua").read_text(encoding="utf-8")


def load(redis: "Redis", name: str) -> Script:
    """A callable script: `script(keys=[...], args=[...])`; loads itself into a server that lacks it."""
    script: Any = redis.register_script(source(name))
    return script  # type: ignore[no-any-return]
