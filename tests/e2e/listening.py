"""A client of the stream of changes that reads what it is sent as the standard says (WHATWG HTML, 9.2.6)."""

import http.client
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple, Self
from urllib.parse import urlsplit

from msgspec import json

from tests.e2e.site import RunningSite
from tests.waiting import eventually


class Heard(NamedTuple):
    """An event, and the id that stood when it came."""

    event: str
    data: Any
    id: str


class Client:
    """Reads a stream in a thread, from when it is made until it is closed or the server ends it. `last`: the id that a
    browser would come back with."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        place = urlsplit(url)
        self._connection = http.client.HTTPConnection(place.hostname or "", place.port or 80, timeout=60)
        path = place.path + (f"?{place.query}" if place.query else "")
        self._connection.request("GET", path, headers=dict(headers or {}))
        self.answer = self._connection.getresponse()
        self.heard: list[Heard] = []
        self.comments = 0
        self.last = ""
        self.ended = threading.Event()
        threading.Thread(target=self._read, daemon=True).start()

    def stories(self) -> list[tuple[str, str, int]]:
        """(kind, story, articles) of each event of a story."""
        told = [heard.data for heard in self.heard if heard.event == "story"]
        return [(data["event"], data["story"], data["articles"]) for data in told]

    def until(self, count: int, event: str = "") -> list[Heard]:
        """Wait for so many events, of this kind if one is given; all that were heard."""

        def enough() -> bool:
            return len([heard for heard in self.heard if event in ("", heard.event)]) >= count

        eventually(enough, 10, lambda: f"{count} events {event}; heard {self.heard[-5:]}")
        return self.heard

    def begun_at(self, site: RunningSite) -> Self:
        """Wait until it has been told where it is: from then on it hears of all that happens."""
        eventually(lambda: self.last or self.comments, 10, lambda: f"the stream began; {site.live.trouble}")
        return self

    def close(self) -> None:
        """Go away."""
        if self._connection.sock is not None:
            self._connection.sock.shutdown(2)
        self.ended.wait(10)
        self._connection.close()

    def _read(self) -> None:
        event, data = "", list[str]()
        try:
            for line in iter(lambda: self.answer.readline().decode(), ""):
                name, _, value = line.rstrip("\n").partition(": ")
                if line == "\n":
                    if data:
                        self.heard.append(Heard(event, json.decode("\n".join(data)), self.last))
                    event, data = "", []
                elif name == "event":
                    event = value
                elif name == "data":
                    data.append(value)
                elif name == "id":
                    self.last = value
                elif name.startswith(":"):
                    self.comments += 1
        except (OSError, ValueError, http.client.HTTPException):  # the connection is gone
            pass
        finally:
            self.ended.set()


@contextmanager
def listening(url: str, headers: Mapping[str, str] | None = None) -> Iterator[Client]:
    """A client of the stream at an address until the block ends."""
    client = Client(url, headers)
    try:
        yield client
    finally:
        client.close()
