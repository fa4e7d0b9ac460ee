"""The full text of entries that carry only a summary: their pages, fetched politely and read apart.

Invariant: an article waits for its page in its feed's outbox, where the sweeper finds it in time: whatever happens
here, it is clustered, at the worst by its summary.
"""
