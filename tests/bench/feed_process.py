"""A feed server in a process of its own, so that its work is not counted as the poller's: `python -m
tests.bench.feed_process N`. It prints its port; `/304/...` has never changed for who asks with an ETag, `/new/K` is a
feed of 25 entries with full content that nobody else shows (K modulo N of them are made beforehand)."""

import asyncio
import random
import sys

from tests.bench import newswire
from worker.model import Article

ENTRIES = 25


def bodies(count: int) -> list[bytes]:
    """So many RSS documents of 25 entries, each with its full text in <content:encoded> as HTML."""
    articles = newswire.generated(count * ENTRIES)
    return [_rss(articles[n * ENTRIES : (n + 1) * ENTRIES], n) for n in range(count)]


def _rss(articles: list[Article], number: int) -> bytes:
    items = "".join(
        f"<item><title>{article.title}</title><link>https://feed{number}.example/{n}</link>"
        f"<guid isPermaLink='false'>{number}-{n}</guid><pubDate>Sun, 15 Jun 2025 15:00:00 GMT</pubDate>"
        f"<description>{article.text[:200]}</description><content:encoded><![CDATA[{_html(article.text)}]]>"
        "</content:encoded></item>"
        for n, article in enumerate(articles)
    )
    return (
        '<?xml version="1.0" encoding="utf-8"?><rss version="2.0" xmlns:content="http://purl.org/rss/1.0/modules/content/">'
        f"<channel><title>Feed {number}</title><link>https://feed{number}.example/</link><language>en</language>"
        f"{items}</channel></rss>"
    ).encode()


def _html(text: str) -> str:
    words = text.split()
    chunks = [" ".join(words[start : start + 60]) for start in range(0, len(words), 60)]
    rng = random.Random(len(text))
    linked = [f"{chunk} <a href='/topic/{rng.randrange(99)}'>more</a> <em>today</em>" for chunk in chunks]
    return "".join(f"<p>{chunk}</p>" for chunk in linked) + "<img src='/picture.jpg' alt='a picture'/>"


class _Feeds(asyncio.Protocol):
    """Answers requests on kept connections, as little as that takes."""

    documents: tuple[bytes, ...] = ()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport, self._read = transport, b""

    def data_received(self, data: bytes) -> None:
        self._read += data
        while b"\r\n\r\n" in self._read:
            head, _, self._read = self._read.partition(b"\r\n\r\n")
            self._transport.write(self._answer(head))  # type: ignore[attr-defined]

    def _answer(self, head: bytes) -> bytes:
        path = head.split(b" ", 2)[1]
        if path.startswith(b"/304/") and b"if-none-match" in head.lower():
            return b'HTTP/1.1 304 Not Modified\r\nETag: "v1"\r\n\r\n'
        number = int(path.rpartition(b"/")[2])
        body = self.documents[number % len(self.documents)]
        return b"HTTP/1.1 200 OK\r\nContent-Type: application/rss+xml\r\nContent-Length: %d\r\n\r\n" % len(body) + body


async def _serve(count: int) -> None:
    _Feeds.documents = tuple(bodies(count))
    server = await asyncio.get_running_loop().create_server(_Feeds, "0.0.0.0", 0, backlog=4096)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(_serve(int(sys.argv[1])))
