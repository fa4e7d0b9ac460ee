"""The pages that people look at: stories, a story, feeds, status."""

from starlette.routing import BaseRoute

from worker.web.pages import feeds, status, stories, story
from worker.web.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """All pages."""
    return [route for part in (stories, story, feeds, status) for route in part.routes(site)]
