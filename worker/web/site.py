"""What every part of the site works with.

Invariant: parts know each other through this alone; each has a function `routes(site)`.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from worker.metrics import Metrics
from worker.runtime import Runtime
from worker.web.limits import RATES, Rate
from worker.web.live import Live
from worker.web.overview import Overview
from worker.web.safety import Safety


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
    """`live`: the stories in memory and their changes; `aside`: runs a blocking call in a thread;
    `beside`: the same for what is read once for all who ask, which waits for no request; `safety`: who may
    read and edit; `rates`: how often one client may ask for what costs; `metrics`: what this process counts;
    `overview`: the feeds and the state of everything, read once for all.

    Raises BadSetting where a token is demanded and there is none.
    """

    runtime: Runtime
    live: Live
    aside: Callable[..., Awaitable[Any]]
    beside: Callable[..., Awaitable[Any]]
    templates: Environment = field(default_factory=_environment)
    rates: Mapping[str, Rate] = field(default_factory=lambda: RATES)
    metrics: Metrics = field(default_factory=lambda: Metrics("web"))
    safety: Safety = field(init=False)
    overview: Overview = field(init=False)

    def __post_init__(self) -> None:
        self.safety = Safety(self.runtime.settings, self.runtime.clock.now)
        self.overview = Overview(self.runtime, self.beside)

    def page(self, request: Request, template: str, facts: Mapping[str, Any], status: int = 200) -> HTMLResponse:
        """An HTML page: the template with these facts, and what every page has: `base` (the path under which the site
        is served, no slash at its end), `here` (this page's path below that), `now`, `trouble`, `form_token` (the field
        `csrf` of its forms; "" for who may not edit), `has_token` (whether anybody may log in)."""
        base = base_of(request)
        own = {
            "base": base,
            "here": request.url.path.removeprefix(base) or "/",
            "now": self.runtime.clock.now(),
            "trouble": self.live.trouble if self.safety.may_read(request) else "",
            "form_token": self.safety.form_token(request),
            "has_token": self.safety.has_token,
        }
        return HTMLResponse(self.templates.get_template(template).render(own | dict(facts)), status)


def base_of(request: Request) -> str:
    """The path under which the site is served, no slash at its end: "" where it has a host of its own."""
    return str(request.scope.get("root_path", "")).rstrip("/")
