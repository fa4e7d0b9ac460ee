"""A parser process: takes bodies on standard input, gives parsed feeds on standard output, ends with its input.

Run as `python -m worker.poller.parser` by the poller. Invariant: one answer a request, in order, whatever the bytes.
"""

import sys
from typing import BinaryIO

import msgspec

from worker.contained.serve import limit_memory
from worker.contained.serve import serve as answer
from worker.feed.parse import ParsedFeed, State, parse

_MEMORY_BYTES = 1_000_000_000
"""Of address space. 5 MB of tiny entries take 180 MB; as many nested elements take 800 MB and half a minute."""


class Request(msgspec.Struct, array_like=True):
    """A body to parse, where it was fetched, and the Content-Type it came with."""

    body: bytes
    url: str
    content_type: str


def serve(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until they end."""
    decode = msgspec.msgpack.Decoder(Request).decode
    answer(requests, answers, lambda message: msgspec.msgpack.encode(_parse(decode(message))))


def _parse(request: Request) -> ParsedFeed:
    try:
        return parse(request.body, request.url, request.content_type)
    except Exception as error:  # feedparser meets bytes that nobody tried: the feed fails, not the process
        return ParsedFeed(State.NOT_A_FEED, f"cannot be parsed ({type(error).__name__}): check it in a feed validator")


if __name__ == "__main__":
    limit_memory(_MEMORY_BYTES)
    serve(sys.stdin.buffer, sys.stdout.buffer)
