"""The values that pass between the layers. No behaviour beyond what a value needs to describe itself.

Invariant: every value here is frozen, or is owned by one place at a time; times are seconds since 1970, UTC.
"""

from worker.model.article import AWAITED, PAGE_READ, UNDETERMINED, UNTOLD, Article, Kept, Ref, file_feed, is_file
from worker.model.ids import parse_story_id, story_id, uid
from worker.model.prints import FULL_WEIGHT, Fingerprints
from worker.model.records import MOST_FEEDS, MOST_TITLES, SCHEMA, Alias, Correction, Event, Member, Relation, Story

__all__ = [
    "AWAITED",
    "FULL_WEIGHT",
    "MOST_FEEDS",
    "MOST_TITLES",
    "PAGE_READ",
    "SCHEMA",
    "UNDETERMINED",
    "UNTOLD",
    "Alias",
    "Article",
    "Correction",
    "Event",
    "Fingerprints",
    "Kept",
    "Member",
    "Ref",
    "Relation",
    "Story",
    "file_feed",
    "is_file",
    "parse_story_id",
    "story_id",
    "uid",
]
