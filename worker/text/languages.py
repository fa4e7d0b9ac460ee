"""The language of a text: the stated one where it is one, else told by its script, or detected.

Invariant: offline and deterministic; what nothing tells well enough takes the fallback.
"""

import re
from collections import Counter
from collections.abc import Iterable
from functools import cache
from typing import Any

from worker.joiners import unjoined
from worker.model import UNDETERMINED
from worker.scripts import language_of

LANGUAGES = (
    "af am ar az be bg bn bs ca cs cy da de el en es et eu fa fi fr ga gl gu he hi hr hu hy id is it ja ka kk km kn ko "
    "ku ky lo lt lv mk ml mn mr ms mt my ne nl no or pa pl ps pt ro ru si sk sl so sq sr sv sw ta te th tl tr uk ur uz "
    "vi zh"
).split()
"""ISO 639-1 codes that a stated tag or a detection may give: languages in which news is published."""

_TAG = re.compile(r"\s*([a-zA-Z]{2,3})(?:[-_][a-zA-Z0-9_-]{1,30})?\s*")
_OTHER_TAGS = {
    "eng": "en", "spa": "es", "deu": "de", "ger": "de", "fra": "fr", "fre": "fr", "rus": "ru", "por": "pt",
    "ita": "it", "zho": "zh", "chi": "zh", "jpn": "ja", "ara": "ar", "nb": "no", "nn": "no", "iw": "he", "in": "id",
}  # fmt: skip
_MIN_LETTERS = 20
_LETTERS_OF_AN_IDEOGRAPH = 4
_MIN_CONFIDENCE = 0.6
_PIECE = 500
_MAX_TOGETHER = 20_000
_MIN_SHARE = 0.75


def language(stated: str, text: str, fallback: str = UNDETERMINED) -> str:
    """The language of a text: the stated tag (`en-US` -> `en`) where it is one, otherwise detected, or the fallback.

    A script that one language alone writes tells it at any length; otherwise detection is py3langid's: offline and
    deterministic. Fewer than 20 letters, or a guess it is not sure of, take the
    fallback: mostly the language of what stands around the text.
    """
    match = _TAG.fullmatch(stated or "")
    if match:
        tag = _OTHER_TAGS.get(match[1].lower(), match[1].lower())
        if tag in LANGUAGES:
            return tag
    sample = unjoined(text[:2000])[:1000]
    if not sample.isascii() and (known := language_of(sample)):
        return known
    if sum(_LETTERS_OF_AN_IDEOGRAPH if c > "\u2e80" else c.isalpha() for c in sample) < _MIN_LETTERS:
        return fallback
    guess, confidence = _detector().classify(sample)
    return str(guess) if confidence >= _MIN_CONFIDENCE else fallback


def common_language(texts: Iterable[str]) -> str:
    """The language of texts that stand together, none of them stated; `und` where no one has three quarters of them.

    Looks at pieces of 500 characters, of the first 20,000: headlines too short alone are long enough together.
    """
    together = "\n".join(texts)[:_MAX_TOGETHER]
    pieces = (together[start : start + _PIECE] for start in range(0, len(together), _PIECE))
    found = Counter(lang for piece in pieces if (lang := language("", piece)) != UNDETERMINED)
    return next((lang for lang, count in found.items() if count >= _MIN_SHARE * found.total()), UNDETERMINED)


@cache
def _detector() -> Any:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # noqa: PLC0415 (half a second, only where needed)

    detector = LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)
    detector.set_languages(LANGUAGES)
    return detector
