"""One line of a JSON Lines file of articles: bytes to a value, or to the reason why it is none.

Invariant: pure, and never raises for what a line says.
"""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import msgspec

from worker.feed.archived import Archived, archived
from worker.feed.outlet import room
from worker.model import UNDETERMINED, Article
from worker.text import clean, headline, language

MAX_ID = 200
MAX_TITLE = 2_000


class _Fields(msgspec.Struct):
    """What is read of a line; other fields are ignored."""

    id: Any = None
    title: str | None = None
    text: str | None = None
    url: str | None = None
    published: str | None = None
    source: str | None = None
    lang: str | None = None
    storywire: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(_Fields).decode


@dataclass(frozen=True)
class Line:
    """A readable line: the article's id and stated time, and its fields as they were written.

    `around`: the language of the lines around it, for a text too short to tell its own; `archived`: what the archive's
    lines say besides (archived.py).
    """

    id: str
    published: float | None
    fields: _Fields
    around: str = UNDETERMINED
    archived: Archived | None = None


@dataclass(frozen=True)
class BadLine:
    """Why a line is refused, in words."""

    reason: str


def parse_line(raw: bytes) -> Line | BadLine:
    """The article of a line, or why there is none: no JSON, no id, neither title nor text, no date."""
    try:
        fields = _decode(raw)
    except msgspec.ValidationError as error:
        return BadLine(f"a field has the wrong type ({error})")
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        return BadLine(f"is no JSON object ({error})")
    if fields.id is not None and not isinstance(fields.id, str):
        return BadLine('has an "id" that is no text (write it in quotes)')
    if not fields.id or not fields.id.strip():
        return BadLine('has no "id" (a text that names the article)')
    if len(fields.id) > MAX_ID or not fields.id.isprintable():
        return BadLine(f'has an "id" longer than {MAX_ID} characters, or with control characters')
    if bytes(fields.storywire) not in (b"", b"null"):
        return _archived_line(fields.id, fields)
    if not (fields.title or "").strip() and not (fields.text or "").strip():
        return BadLine('has neither "title" nor "text"')
    published = _time(fields.published) if fields.published else None
    if isinstance(published, BadLine):
        return published
    return Line(fields.id, published, fields)


def _archived_line(name: str, fields: _Fields) -> Line | BadLine:
    """A line of the archive: it states its language, and needs neither title nor text."""
    found = archived(fields.storywire)
    if isinstance(found, str):
        return BadLine(f'has a "storywire" part that {found}: without that part it is read by its title')
    lang = fields.lang or UNDETERMINED
    if lang != UNDETERMINED and language(lang, "") != lang:
        return BadLine('has a "lang" that is no language')
    return Line(name, found.published, fields, archived=found)


def article_of(line: Line, received: float, backfill: bool) -> Article:
    """The article of a line as it goes into the outbox: clean text, its language decided, only http(s) links kept.

    One of the archive arrived when it did.
    """
    fields, kept = line.fields, line.archived
    title, text = headline(fields.title or "", MAX_TITLE), clean(fields.text or "")
    source, url = clean(fields.source or "")[:MAX_ID].replace("\n", " "), web_address(fields.url or "")
    return Article(
        id=line.id,
        title=title,
        text=text,
        url=url,
        source=source,
        outlet=(kept.outlet if kept else "") or room(url),
        lang=(fields.lang or UNDETERMINED) if kept else language(fields.lang or "", f"{title}\n{text}", line.around),
        published=line.published,
        received=min(kept.received, received) if kept else received,
        backfill=backfill,
        revision=kept.revision if kept else 1,
        kept=kept.kept if kept else None,
    )


def sample_of(line: Line, max_characters: int) -> str:
    """The beginning of what a line says, clean, to tell the language of its file; "" where the line states its own."""
    fields = line.fields
    if line.archived or language(fields.lang or "", "") != UNDETERMINED:
        return ""
    return clean(f"{fields.title or ''}\n{(fields.text or '')[:max_characters]}")[:max_characters]


def web_address(url: str) -> str:
    """The address, if it is http(s) with a host; otherwise nothing: it will be shown as a link."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    plain = url.strip().isprintable() and " " not in url.strip()
    return url.strip() if parts.scheme in ("http", "https") and parts.hostname and plain else ""


def _time(text: str) -> float | BadLine:
    """Seconds since 1970 of an RFC 3339 time; one without an offset is taken as UTC."""
    try:
        moment = datetime.fromisoformat(text)
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return BadLine(f'has a "published" that is no RFC 3339 time: {text[:40]!r} (write 2026-01-31T12:00:00Z)')
