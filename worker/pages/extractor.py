"""An extracting process: takes pages on standard input, gives what is on them on standard output, ends with its input.

Run as `python -m worker.pages.extractor`. Invariant: one answer a request, in order, whatever the bytes.
"""

import logging
import os
import sys
from typing import BinaryIO

import msgspec

from worker.contained.serve import limit_memory, serve
from worker.pages.extract import extract
from worker.pages.extracted import Extracted, Request

_MEMORY_BYTES = 1_000_000_000
"""Of address space; a page of 5 MB takes some 300 MB."""

_NICE = 5
"""A page may wait; what is polled and clustered meanwhile should not."""


def answer_all(requests: BinaryIO, answers: BinaryIO) -> None:
    """Answer requests until they end."""
    decode, encode = msgspec.msgpack.Decoder(Request).decode, msgspec.msgpack.Encoder().encode
    serve(requests, answers, lambda message: encode(_extract(decode(message))))


def _extract(request: Request) -> Extracted:
    try:
        return extract(request.body, request.url, request.content_type)
    except Exception as error:  # lxml and trafilatura meet bytes that nobody tried: the page fails, not the process
        return Extracted(reason=f"cannot be read ({type(error).__name__})")


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)  # trafilatura's: what it says is not about anything of ours
    limit_memory(_MEMORY_BYTES)
    os.nice(_NICE)
    answer_all(sys.stdin.buffer, sys.stdout.buffer)
