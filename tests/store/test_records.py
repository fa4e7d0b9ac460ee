"""Records are read by versions with a field more or less at their end: what lets them run side by side."""

from typing import Any

import msgspec
import pytest
from msgspec import Struct

from worker.feed.carried import Claim
from worker.feed.identity import Digests
from worker.feed.seen import Seen
from worker.model import Alias, Article, Correction, Event, Fingerprints, Kept, Member, Relation, Story
from worker.schedule import Fetch, PollState
from worker.store.feeds import Address

PRINTS = Fingerprints(b"12345678", b"s" * 256, b"k" * 9, 3, 4, b"digested", ("bridge", "harbour"), b"\x80\x40", b"f")
MEMBER = Member(
    "f.a", 2, "Title", "http://a.example/", "A", None, 1.5, 2.5, True, PRINTS, 7, 9, Relation.COPY, b"u" * 8, 0.5,
    False, "read", "a.example", ((1.0, "Earlier"),), ("g",),
)  # fmt: skip
STORY = Story(
    7, "Headline", 1.0, 2.0, 3.0, b"u" * 8, 3, 1, 1, b"oooo", 0.5, (b"p", b"q"), 2, (b"u" * 8,), (4, 5), 2, 86400.0
)
RECORDS: list[Struct] = [
    PRINTS,
    MEMBER,
    STORY,
    Alias(7),
    Correction(1, "pin", 2.0, 3, (7,), ("a",), ("b", "c"), 9.0, (b"u" * 8,)),
    Event("merged", 3, "en", 7, b"u" * 8, True, 8, 1),
    Article(id="f.a", revision=2, title="T", text="Text", url="u", source="s", lang="en", published=1.0, received=2.0),
    Kept(7, b"origin", PRINTS, 0.5, 2, 86400.0, ((1.0, "Earlier"),), ("g",)),
    Seen(b"12345678", 2, "en", 1.0, 2.0, True, Digests(b"1", b"2", b"3"), 3.0, "g.b"),
    Claim("f.a", "en", 1.0),
    Address("http://a.example/feed", "A", 1.0, "News", "on", True),
    Fetch(1.0, "ok", 200, 2.0, 3, 4, 5, 6, "trouble", 7.0, "every 15m"),
    PollState(
        '"v1"',
        "Mon",
        b"h",
        1.0,
        2.0,
        3.0,
        "ok",
        "",
        1,
        "A",
        2,
        3.0,
        4.0,
        "every 15m",
        1.0,
        2.0,
        3.0,
        b"rhythm",
        4.0,
        5.0,
        6.0,
        7.0,
        "http",
        404,
        (1, 2),
        (5, 6),
        "hub",
        "topic",
        "moved",
        8.0,
        9,
        10.0,
    ),
]
NAMES = [type(record).__name__ for record in RECORDS]


def written(record: Struct) -> Any:
    """What stands in the server, unpacked: a list, or a map."""
    return msgspec.msgpack.decode(msgspec.msgpack.encode(record))


def read(record: Struct, values: Any) -> object:
    """The record as this version reads it, as the store would: a story may be an alias."""
    kind = Story | Alias if isinstance(record, Story | Alias) else type(record)
    return msgspec.msgpack.decode(msgspec.msgpack.encode(values), type=kind)


@pytest.mark.parametrize("record", RECORDS, ids=NAMES)
def test_a_field_that_a_later_version_added_is_passed_over(record: Struct) -> None:
    values = written(record)
    more = [*values, "later"] if isinstance(values, list) else {**values, "later": 1}
    assert read(record, more) == record


@pytest.mark.parametrize("record", RECORDS, ids=NAMES)
def test_a_field_that_an_earlier_version_lacks_has_its_default(record: Struct) -> None:
    """Every field that has a default, taken away from the end, one after another."""
    values, expected = written(record), record
    for field in reversed(msgspec.structs.fields(record)):
        if field.required:
            break
        if isinstance(values, list):
            values.pop()
        else:
            values.pop(field.encode_name, None)
        default = field.default if field.default_factory is msgspec.NODEFAULT else field.default_factory()
        expected = msgspec.structs.replace(expected, **{field.name: default})
        assert read(record, values) == expected


@pytest.mark.parametrize("record", RECORDS, ids=NAMES)
def test_a_record_without_a_field_that_must_be_there_is_refused(record: Struct) -> None:
    """So that a field without a default cannot be added without a version of its own."""
    values = written(record)
    if isinstance(values, list):
        required = sum(field.required for field in msgspec.structs.fields(record))
        values = values[: len(values) - len(msgspec.structs.fields(record)) + required - 1]
        if not required:
            return
    else:
        required_name = next(field.encode_name for field in msgspec.structs.fields(record) if field.required)
        del values[required_name]
    with pytest.raises(msgspec.ValidationError):
        read(record, values)


def test_every_packed_record_is_among_these() -> None:
    """Whatever structure of these modules is packed into the server."""
    from worker import model

    packed = {each.__name__ for each in vars(model).values() if isinstance(each, type) and issubclass(each, Struct)}
    assert packed - {"Struct"} <= set(NAMES)
