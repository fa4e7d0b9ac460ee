"""What every part of the site works with.

Invariant: parts know each other through this alone; each has a function `routes(site)`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from worker.runtime import Runtime
from worker.web.live import Live


def _environment() -> Environment:
    """Every text is escaped, and a name that nobody gave is an error."""
    return Environment(
        loader=PackageLoader("worker.web", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


@dataclass
class Site:
    """`live`: the stories in memory and their changes; `aside`: runs a blocking call in a thread."""

    runtime: Runtime
    live: Live
    aside: Callable[..., Awaitable[Any]]
    templates: Environment = field(default_factory=_environment)

    def page(self, request: Request, template: str, facts: Mapping[str, Any], status: int = 200) -> HTMLResponse:
        """An HTML page: the template with these facts, and what every page has: `base` (the path under which the site
        is served, no slash at its end), `here` (this page's path below that), `now`, `trouble`."""
        base = request.scope.get("root_path", "").rstrip("/")
        own = {
            "base": base,
            "here": request.url.path.removeprefix(base) or "/",
            "now": self.runtime.clock.now(),
            "trouble": self.live.trouble,
        }
        return HTMLResponse(self.templates.get_template(template).render(own | dict(facts)), status)
