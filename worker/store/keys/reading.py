"""Pages: which articles' pages are to be read, and how that went.

Invariant: all of it may be lost: then summaries are clustered.
"""

from worker.store.keys import naming


def pages() -> str:
    """zset of articles whose pages are to be read (`UNTIL FEED ARTICLE`), by when; a leased one stands at the end of
    its lease. Bound: 20,000. Lifetime: removed when its page is read, or can no longer be in time."""
    return naming.plain("pages")


def page_reads() -> str:
    """list, newest first, of why a page's text was not taken, empty where it was. Bound: 100. Lifetime: a TTL of an
    hour."""
    return naming.plain("page-reads")


def claim(page: bytes) -> str:
    """string, a packed Claim: which article a page is, by a hash of its canonical address. Bound: one an article.
    Lifetime: a TTL of the retention."""
    return naming.plain(f"claim:{page.hex()}")
