"""The RQ queue: hints of which articles wait in the outbox, in batches of ids. See queue.py and worker.py."""

from worker.jobs.queue import Jobs

__all__ = ["Jobs"]
