"""Whether who asks has it already: If-None-Match beside a tag.

Invariant: compared weakly (RFC 9110, 8.8.3.2), as what is sent may be compressed on its way.
"""

from starlette.requests import Request


def has(request: Request, tag: str) -> bool:
    """Whether one of the tags that the asker knows is this one, or any would do (`*`)."""
    tags = {each.strip().removeprefix("W/") for each in request.headers.get("if-none-match", "").split(",")}
    return "*" in tags or tag.removeprefix("W/") in tags
