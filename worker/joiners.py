"""The two invisible signs that spell: the zero-width joiner and non-joiner of Persian, Hindi, Sinhala and of emoji.

Invariant: pure; a joiner stays in what is shown where it means something, one at a time, and never reaches what is
compared or searched: there a text with joiners is the text without.
"""

import re
from unicodedata import category, combining

NON_JOINER, JOINER = "\u200c", "\u200d"
_BOTH = NON_JOINER + JOINER


def _of(categories: str, *ranges: tuple[int, int]) -> str:
    """The characters of these ranges whose category begins with one of these letters."""
    return "".join(c for low, high in ranges for c in map(chr, range(low, high)) if category(c)[0] in categories)


_LETTERS = _of("LM", (0x600, 0x900), (0x900, 0x10A0), (0x1780, 0x18B0))
"""Of the scripts whose letters join or stack: Arabic to N'Ko, those of India to Myanmar, Khmer and Mongolian."""
_VIRAMAS = "".join(c for c in _of("M", (0x900, 0x1C00), (0xA800, 0xAC00)) if combining(c) == 9)
"""Signs that take a consonant's vowel: a joiner after one tells how it is drawn, at a word's end too (Malayalam)."""
_EMOJI = "\u2190-\u2bff\ufe0f\U0001f000-\U0001faff"
_RUN = re.compile(f"([{_BOTH}])[{_BOTH}]+")
_ANY = re.compile(
    f"((?<=[{_VIRAMAS}])[{_BOTH}]|(?<=[{_LETTERS}])[{_BOTH}](?=[{_LETTERS}])|(?<=[{_EMOJI}]){JOINER}(?=[{_EMOJI}]))"
    f"|[{_BOTH}]"
)


def has_joiner(text: str) -> bool:
    """Whether there is any joiner or non-joiner."""
    return NON_JOINER in text or JOINER in text


def unjoined(text: str) -> str:
    """The text without joiners and non-joiners, as it is compared."""
    return text.replace(NON_JOINER, "").replace(JOINER, "")


def spelt(text: str) -> str:
    """The text without the joiners and non-joiners that mean nothing: what stays is one between letters of scripts
    that use them (Unicode's core specification, 23.2), after a virama, or between emoji."""
    return _ANY.sub(lambda found: found[1] or "", _RUN.sub(r"\1", text)) if has_joiner(text) else text


def first(text: str, characters: int) -> str:
    """The first so many characters of a spelt text, joiners not counted: without them it is what `unjoined` begins
    with."""
    if not has_joiner(text):
        return text[:characters]
    found = re.match(f"(?:[{_BOTH}]?[^{_BOTH}]){{0,{characters}}}", text)
    return found[0] if found else ""
