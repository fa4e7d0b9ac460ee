"""A remembered record is what decoding gives, and never an old one."""

from worker.store.remembered import Remembered


def counted() -> tuple[Remembered[str], list[bytes]]:
    """A decoder that notes what it was asked to decode."""
    decoded: list[bytes] = []

    def decode(packed: bytes) -> str:
        decoded.append(packed)
        return packed.decode()

    return Remembered(decode, kept=3), decoded


def test_a_record_that_stayed_as_it_was_is_decoded_once() -> None:
    record, decoded = counted()
    first, second = record("a", b"dam"), record("a", bytes(bytearray(b"dam")))
    assert first is second
    assert decoded == [b"dam"]


def test_a_record_that_changed_is_decoded_again() -> None:
    record, _ = counted()
    assert [record("a", text) for text in (b"dam", b"dyke", b"dam")] == ["dam", "dyke", "dam"]


def test_it_keeps_no_more_than_it_may() -> None:
    record, decoded = counted()
    for name in ("a", "b", "c", "d", "a", "d"):
        assert record(name, name.encode()) == name
    assert decoded == [b"a", b"b", b"c", b"d", b"a"]
