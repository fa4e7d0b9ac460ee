"""What a poller's first articles would wait for otherwise: the model that tells languages, the list of domains.

Invariant: loaded once, before any feed is leased. Whichever threads met them first would each load them, all at once.
"""

from worker.feed.domain import registrable
from worker.text import language


def load() -> None:
    """Load them: one to two seconds, mostly without the interpreter's lock. Blocks."""
    language("", "Twenty letters that no feed has to wait for.")
    registrable("https://www.example.org/")
