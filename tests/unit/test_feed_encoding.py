"""Encodings as servers really have them: whatever is declared, the reader sees the letters that were written."""

import codecs
import unicodedata
from time import process_time

import pytest

from worker.feed.encoding import as_utf8
from worker.feed.parse import State, parse

URL = "https://feeds.example/feed.xml"
LATIN = "Ärger über den Café-Preis: “zu teuer” – 5 €"
WESTERN = "Ärger über den Café-Preis"
RUSSIAN = "Мэр ответил на вопросы жителей"
CHINESE = "市长回答居民提问，大桥今日重新开放"
JAPANESE = "市長が質問に答え、橋が再開した"
KOREAN = "시장이 주민 질문에 답했다"


def document(title: str, declared: str = "", before: str = "") -> str:
    """A feed of one entry; `declared` is the encoding that its declaration names."""
    declaration = f'<?xml version="1.0" encoding="{declared}"?>' if declared else ""
    item = f"<item><title>{title}</title><guid>1</guid><description>{title}.</description></item>"
    return f'{before}{declaration}<rss version="2.0"><channel><title>T</title>{item}</channel></rss>'


CASES: dict[str, tuple[str, bytes, str]] = {
    # what is read, the body, the Content-Type
    "utf-8, undeclared": (LATIN, document(LATIN).encode(), ""),
    "utf-8 with a mark": (LATIN, codecs.BOM_UTF8 + document(LATIN).encode(), ""),
    "utf-8 with a mark, declared latin-1": (LATIN, codecs.BOM_UTF8 + document(LATIN, "iso-8859-1").encode(), ""),
    "utf-8, declared latin-1": (LATIN, document(LATIN, "ISO-8859-1").encode(), "text/xml"),
    "utf-8, declared latin-1 by the server": (LATIN, document(LATIN).encode(), "text/xml; charset=iso-8859-1"),
    "utf-8, declared koi8-r": (RUSSIAN, document(RUSSIAN, "koi8-r").encode(), ""),
    "utf-8, declared utf-16": (LATIN, document(LATIN, "utf-16").encode(), ""),
    "utf-8, declared nonsense": (LATIN, document(LATIN, "klingon").encode(), "text/xml; charset=zlib"),
    "utf-16 little-endian with a mark": (LATIN, b"\xff\xfe" + document(LATIN, "utf-16").encode("utf-16-le"), ""),
    "utf-16 big-endian with a mark": (LATIN, b"\xfe\xff" + document(LATIN, "utf-16").encode("utf-16-be"), ""),
    "utf-16 little-endian without": (CHINESE, document(CHINESE, "utf-16").encode("utf-16-le"), ""),
    "utf-16 big-endian without": (CHINESE, document(CHINESE, "utf-16").encode("utf-16-be"), "text/xml"),
    "utf-16, declared utf-8": (LATIN, document(LATIN, "utf-8").encode("utf-16"), "text/xml; charset=utf-8"),
    "utf-32 with a mark": (LATIN, document(LATIN, "utf-32").encode("utf-32"), ""),
    "latin-1, declared": (WESTERN, document(WESTERN, "iso-8859-1").encode("latin-1"), ""),
    "latin-1, declared by the server": (WESTERN, document(WESTERN).encode("latin-1"), "text/xml;charset='ISO-8859-1'"),
    "latin-1, undeclared": (WESTERN, document(WESTERN).encode("latin-1"), ""),
    "latin-1, declared utf-8": (WESTERN, document(WESTERN, "utf-8").encode("latin-1"), ""),
    "windows-1252, declared latin-1": (LATIN, document(LATIN, "iso-8859-1").encode("cp1252"), ""),
    "windows-1252, declared": (LATIN, document(LATIN, "windows-1252").encode("cp1252"), ""),
    "windows-1252, undeclared": (LATIN, document(LATIN).encode("cp1252"), ""),
    "windows-1252, declared us-ascii": (LATIN, document(LATIN, "us-ascii").encode("cp1252"), ""),
    "windows-1251": (RUSSIAN, document(RUSSIAN, "windows-1251").encode("cp1251"), "text/xml"),
    "windows-1251, by the server": (RUSSIAN, document(RUSSIAN).encode("cp1251"), 'text/xml; charset="windows-1251"'),
    "windows-1251, the server says latin-1": (
        RUSSIAN,
        document(RUSSIAN, "windows-1251").encode("cp1251"),
        "text/xml; charset=iso-8859-1",
    ),
    "koi8-r": (RUSSIAN, document(RUSSIAN, "KOI8-R").encode("koi8-r"), ""),
    "koi8-r, declared utf-8, the server is right": (
        RUSSIAN,
        document(RUSSIAN, "utf-8").encode("koi8-r"),
        "text/xml; charset=koi8-r",
    ),
    "iso-8859-5": (RUSSIAN, document(RUSSIAN, "iso-8859-5").encode("iso-8859-5"), ""),
    "iso-8859-2": ("Starosta odpověděl", document("Starosta odpověděl", "iso-8859-2").encode("iso-8859-2"), ""),
    "windows-1254, as latin-5": ("Köprü açıldı", document("Köprü açıldı", "latin5").encode("cp1254"), ""),
    "gb18030": (CHINESE, document(CHINESE, "gb18030").encode("gb18030"), ""),
    "gb18030, declared gb2312": (CHINESE + "㐀", document(CHINESE + "㐀", "gb2312").encode("gb18030"), ""),
    "gbk, by the server": (CHINESE, document(CHINESE).encode("gbk"), "text/xml; charset=GBK"),
    "big5": ("市長回答居民提問", document("市長回答居民提問", "big5").encode("big5"), ""),
    "shift_jis": (JAPANESE, document(JAPANESE, "Shift_JIS").encode("cp932"), ""),
    "windows-31j, declared shift_jis": (JAPANESE + "①", document(JAPANESE + "①", "shift_jis").encode("cp932"), ""),
    "euc-jp": (JAPANESE, document(JAPANESE, "EUC-JP").encode("euc_jp"), ""),
    "iso-2022-jp": (JAPANESE, document(JAPANESE, "iso-2022-jp").encode("iso2022_jp"), ""),
    "euc-kr": (KOREAN, document(KOREAN, "euc-kr").encode("cp949"), ""),
    "one byte of shift_jis lost": (
        JAPANESE,
        document(JAPANESE, "shift_jis").encode("cp932").replace(b"<guid>1", b"<guid>1" + b"x" * 400 + b"\x81"),
        "",
    ),
    "a byte of windows-1252 within utf-8": (LATIN, document(LATIN, "utf-8").encode().replace(b"\xc3\xbc", b"\xfc"), ""),
    "utf-8 read as latin-1 and written again": (WESTERN, document(WESTERN.encode().decode("latin-1")).encode(), ""),
    "windows-1252 by number": ("“zu teuer”", document("&#147;zu teuer&#148;").encode(), ""),
    "a declaration after a blank line": (LATIN, document(LATIN, "utf-8", "\r\n\n  ").encode(), ""),
    "a declaration after a notice": (LATIN, document(LATIN, "utf-8", "Warning: x on line 3\n").encode(), ""),
    "a declaration after a mark and a blank line": (LATIN, b"\xef\xbb\xbf\n" + document(LATIN, "utf-8").encode(), ""),
    "control characters": (LATIN, document(LATIN.replace(" ", "\x08 \x00\x1b"), "utf-8").encode(), ""),
    "control characters by number": (LATIN, document(LATIN.replace(" ", "&#8;&#x1B; "), "utf-8").encode(), ""),
    "characters that are none": (LATIN, document(LATIN.replace(" ", "\uffff "), "utf-8").encode(), ""),
    "entities of HTML": ("Café – 5 €", document("Caf&eacute; &ndash; 5&nbsp;&euro;").encode(), ""),
    "entities of HTML in latin-1": ("Café für 5", document("Café f&uuml;r&nbsp;5", "latin1").encode("latin-1"), ""),
    "entities of XML": ("R&D", document("R&amp;amp;D").encode(), ""),
    "a bare ampersand": ("R&D for all", document("R&D for all").encode(), ""),
    "an entity of nobody": ("a &nosuch; b", document("a &nosuch; b").encode(), ""),
    "cut off within a letter": (LATIN, (document(LATIN) + "<!-- é").encode()[:-1], ""),
}  # fmt: skip


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_the_letters_are_those_that_were_written(case: tuple[str, bytes, str]) -> None:
    title, body, content_type = unicodedata.normalize("NFKC", case[0]), *case[1:]
    parsed = parse(body, URL, content_type)
    assert parsed.state is State.OK
    assert [entry.title for entry in parsed.entries] == [title]
    assert parsed.entries[0].text.rstrip(".") == title


@pytest.mark.parametrize(
    "body",
    [b"\xff\xfe", b"\xfe\xff\xd8\x00", b"\0\0\0<", b"<\0", b"\x1b$B\x80", b"\xed\xa0\x80", bytes(range(256)), b"\xc3"],
)
@pytest.mark.parametrize("label", ["", "utf-7", "idna", "punycode", "zlib", "hex", "undefined", "utf-16", "big5", "é"])
def test_what_is_no_text_is_utf_8_nevertheless(body: bytes, label: str) -> None:
    """And no codec runs that is none of text, or that takes the square of the time."""
    as_utf8(body, f"text/xml; charset={label}").decode("utf-8")
    declared = f'<?xml version="1.0" encoding="{label}"?>'.encode()
    as_utf8(declared + body * 1_000, "").decode("utf-8")


@pytest.mark.parametrize("label", ["utf-8", "gb18030", "shift_jis", "iso-2022-jp", "koi8-r", "utf-16", "windows-1252"])
def test_five_megabytes_of_anything_take_little(label: str) -> None:
    declared = f'<?xml version="1.0" encoding="{label}"?>'.encode()
    for piece in (b"\xff", b"\x1b$B", b"\x81\x30", b"\xc3\xa9\xff"):
        began = process_time()
        as_utf8(declared + piece * (5_000_000 // len(piece)), "")
        assert process_time() - began < 2


def test_japanese_in_seven_bits_that_is_cut_off_does_no_harm() -> None:
    """Its codec raises for these, whatever it is told to do with errors."""
    for body in (b"\x1b$", b"a\x1b$" * 1_000, b"\x1b$B\x1b$"):
        as_utf8(body, "text/html; charset=iso-2022-jp").decode()
