"""A table of servers and feeds that misbehave: what each does, what a poller makes of it, and what a person is told.

Invariant: the table alone says what must hold; tests/e2e/test_misbehaving.py shows it, docs/feeds.md prints it.
"""

from tests.misbehaving.case import DOCUMENTED, Case, Places
from tests.misbehaving.documents import documents
from tests.misbehaving.entries import entries
from tests.misbehaving.lengths import lengths
from tests.misbehaving.network import network
from tests.misbehaving.redirects import redirects
from tests.misbehaving.statuses import statuses
from tests.misbehaving.validators import validators

__all__ = ["DOCUMENTED", "Case", "Places", "groups"]


def groups(at: Places) -> dict[str, list[Case]]:
    """All cases by what they are about, with the servers at these places."""
    return {
        "Validators that lie": validators(at),
        "Status codes": statuses(at),
        "Redirects and cookies": redirects(at),
        "Connections and certificates": network(at),
        "Lengths, time and packing": lengths(at),
        "Documents": documents(at),
        "Entries": entries(at),
    }
