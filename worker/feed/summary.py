"""Whether an entry's text is the article, or no more than a summary of the page that it links to.

Invariant: pure; a text that its feed calls the content is taken for it unless it says itself that it goes on.
"""

import re

SHORT_BYTES = 1_200
"""Of UTF-8: what is given as description and is shorter is taken for a summary; about 1,200 letters of Latin script,
600 of Cyrillic, 400 signs of Chinese."""

_MORE = (
    "read more|continue reading|read the full (?:story|article)|keep reading|full story|more (?=[»›→>])|weiterlesen|"
    "mehr lesen|mehr dazu|lire la suite|en savoir plus|leer más|seguir leyendo|sigue leyendo|leia mais|ler mais|"
    "continue lendo|leggi tutto|"
    "continua a leggere|lees meer|lees verder|läs mer|les mer|læs mere|lue lisää|czytaj (?:dalej|więcej)|"
    "číst dál|devamını oku|читать далее|читать дальше|читати далі|続きを読む|阅读全文|閱讀更多|더 보기|اقرأ المزيد"
)
_GOES_ON = re.compile(
    rf"(?:\[\s?(?:…|\.\.\.)\s?\]|…|\.\.\.|(?:^|[\s.…(\[>»])(?:{_MORE})[\s.…!:)\]>»›→]{{0,9}})\Z", re.IGNORECASE
)
_APPEARED = re.compile(r"\s{1,9}The post .{0,400} (?:first )?appeared (?:first )?on .{0,200}\Z", re.DOTALL)
_TAIL = 700
_END = 40


def is_summary(text: str, url: str, *, has_content: bool) -> bool:
    """True where the text ends before it has said all, or is short and the feed does not call it the content.

    `text`: plain; `url`: the page of the entry, without which nothing is a summary of it.
    """
    if not url:
        return False
    if not has_content and len(text.encode("utf-8", "ignore")) < SHORT_BYTES:
        return True
    tail = text[-_TAIL:].rstrip()
    appeared = _APPEARED.search(tail) if " appeared " in tail else None
    return bool(_GOES_ON.search((tail[: appeared.start()] if appeared else tail)[-_END:]))
