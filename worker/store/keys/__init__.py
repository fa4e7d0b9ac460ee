"""Every key of the store: one function a key, with its type, its bound and its lifetime; a module for what they hold.

Invariant: keys that one script touches share a hash tag, the language's or the feed's, so the store runs on a cluster.
Packed values are msgpack arrays of the structures in worker/model.
"""

# ruff: noqa: F403 - a key is named once, where it is defined, and is `keys.NAME` everywhere

from worker.store.keys import alerting, feeds, gates, outbox, processes, reading, server, stories
from worker.store.keys.alerting import *
from worker.store.keys.feeds import *
from worker.store.keys.gates import *
from worker.store.keys.naming import SCHEMA as SCHEMA
from worker.store.keys.naming import Layout as Layout
from worker.store.keys.outbox import *
from worker.store.keys.processes import *
from worker.store.keys.reading import *
from worker.store.keys.server import *
from worker.store.keys.stories import *

SECTIONS = (server, stories, feeds, outbox, reading, gates, alerting, processes)
"""The modules in the order in which docs/redis.md has them."""
