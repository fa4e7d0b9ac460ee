"""From what publishers send to words: markup to plain text, its language, its tokens.

Invariant: pure and deterministic; the same text gives the same words on every machine and in every process.
"""

from worker.text.languages import LANGUAGES, common_language, language
from worker.text.markup import MAX_CHARACTERS, clean, headline
from worker.text.words import names, tokens

__all__ = ["LANGUAGES", "MAX_CHARACTERS", "clean", "common_language", "headline", "language", "names", "tokens"]
