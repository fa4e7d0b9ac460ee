"""Feeds out: the stories as Atom and as JSON Feed, for any filter, so that the product of feeds is a feed.

Invariant: both say the same of a story under the same id, which outlives every change of the site's address.
"""

from starlette.routing import BaseRoute

from worker.web.out import serving
from worker.web.site import Site


def routes(site: Site) -> list[BaseRoute]:
    """`/stories.atom` and `/stories.json`."""
    return serving.routes(site)
