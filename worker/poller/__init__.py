"""The poller process: leases due feeds, fetches and parses them, publishes what is new, queues it.

Invariant: what one feed does costs only that feed. (This file stays empty: the parser processes import it.)
"""
