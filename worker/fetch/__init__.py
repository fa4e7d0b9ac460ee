"""Fetches feeds over HTTP; the only package that speaks it.

Invariant: never raises for what the net or a server does, and never holds more than the cap of any body.
"""

from worker.fetch.answers import Failed, Fetched, NotModified
from worker.fetch.client import MAX_BYTES, BeforeRedirect, Fetcher
from worker.fetch.guard import ALLOWED_BY, Guard
from worker.fetch.trail import MAX_REDIRECTS

__all__ = [
    "ALLOWED_BY",
    "MAX_BYTES",
    "MAX_REDIRECTS",
    "BeforeRedirect",
    "Failed",
    "Fetched",
    "Fetcher",
    "Guard",
    "NotModified",
]
