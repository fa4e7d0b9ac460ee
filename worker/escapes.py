"""What a terminal obeys within a text (ECMA-48): taken out whole, or `[31m` would stay behind in a headline.

Invariant: pure; it takes the time of the text's length, and text without such a sequence passes as it is.
"""

import re

_SEQUENCE = re.compile(r"(?:\x1b\[|\x9b)[0-?]*+[ -/]*+[@-~]|\x1b\][^\x07\x1b\n]{0,400}+(?:\x07|\x1b\\)|\x1b[@-Z\\^_]?")


def unescaped(text: str) -> str:
    """The text without them."""
    return _SEQUENCE.sub("", text) if "\x1b" in text or "\x9b" in text else text
