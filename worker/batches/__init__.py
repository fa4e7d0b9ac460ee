"""The job: a batch clustered, whatever its articles do to it, and whichever server is away.

Invariant: an article stays in the outbox until it is clustered or in quarantine, so a batch may fail, be killed or run
twice; one article that cannot be clustered never keeps the others of its batch from it, nor does one whose server is
away.
"""

from worker.batches.job import Batches
from worker.batches.postponed import Postponed
from worker.batches.suspects import DEATHS, DEATHS_BEFORE, Ready

__all__ = ["DEATHS", "DEATHS_BEFORE", "Batches", "Postponed", "Ready"]
