"""The page of stories."""

from starlette.routing import BaseRoute

from worker.web.site import Site


def routes(_site: Site) -> list[BaseRoute]:
    """Its routes."""
    return []
