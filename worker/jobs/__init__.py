"""The RQ queue: hints of which articles wait in the outbox, in batches of ids.

    job (what one is) -> queue (where it waits, with recovering) -> worker (which runs it, and beats by heartbeat)

A batch that never ends is hang's, one that is tried alone apart's; roll tells who works.
"""

from worker.jobs.queue import Jobs

__all__ = ["Jobs"]
