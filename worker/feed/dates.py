"""The two ways in which nearly all feeds write a date: RFC 822 and W3C (RFC 3339).

Invariant: whoever reads a date here reads what feedparser reads in it, or nothing.
"""

import re
from datetime import UTC, datetime

_MONTHS = "jan feb mar apr may jun jul aug sep oct nov dec".split()
_ZONES = {"edt": -4, "est": -5, "cdt": -5, "cst": -6, "mdt": -6, "mst": -7, "pdt": -7, "pst": -8}
_RFC_822 = re.compile(
    r"(?:(?:mon|tue|wed|thu|fri|sat|sun)[a-z]{0,6},? )?(\d{1,2}) "
    r"(jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]{0,6}"
    r" ((?:19|20)\d\d) (\d\d?):(\d\d)(?::(\d\d))? (?:(gmt|utc?|z)|([ecmp][ds]t)|([+-])(\d\d):?(\d\d))",
    re.ASCII,
)
_W3C = re.compile(
    r"((?:19|20)\d\d)-(\d\d)-(\d\d)t(\d\d):(\d\d):(\d\d)(?:\.\d{1,9})?(?:z|([+-])(\d\d):(\d\d))",
    re.ASCII,
)
_DAY = re.compile(r"((?:19|20)\d\d)-(\d\d)-(\d\d)", re.ASCII)


def stated_time(text: str) -> float | None:
    """Seconds since 1970 of a date as feeds write it, or None where it is written otherwise."""
    text = text.lower()
    try:
        if found := _W3C.fullmatch(text):
            return _seconds(found.groups("0")[:6]) - _offset_s(found[7], found[8], found[9])
        if found := _RFC_822.fullmatch(text):
            day, month, year, hour, minute, second, _, zone, sign, hours, minutes = found.groups()
            moment = _seconds((year, str(_MONTHS.index(month) + 1), day, hour, minute, second or "0"))
            return moment - (_ZONES[zone] * 3600 if zone else _offset_s(sign, hours, minutes))
        if found := _DAY.fullmatch(text):
            return _seconds((*found.groups(), "0", "0", "0"))
    except ValueError:
        pass
    return None


def _seconds(fields: tuple[str, ...]) -> float:
    year, month, day, hour, minute, second = map(int, fields)
    return datetime(year, month, day, hour, minute, second, tzinfo=UTC).timestamp()


def _offset_s(sign: str | None, hours: str, minutes: str) -> int:
    return 0 if not sign else (-60 if sign == "-" else 60) * (int(hours) * 60 + int(minutes))
