"""Text cleaning, tokens and language: tables of cases."""

import re
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.text import MAX_CHARACTERS, clean, common_language, language, names, tokens


@pytest.mark.parametrize(
    ("markup", "text"),
    [
        ("plain", "plain"),
        ("<p>One &amp; <b>two</b></p><p>three</p>", "One & two\nthree"),
        ("a&nbsp;b&#8217;s caf&eacute;", "a b’s café"),
        ("<script>alert(1)</script>seen<style>p{}</style>", "seen"),
        ("<!-- hidden -->shown", "shown"),
        ("unclosed <b>bold <i>both", "unclosed bold both"),
        ("3 < 4 and 5 > 4", "3 < 4 and 5 > 4"),
        ("AT&T stays", "AT&T stays"),
        ("ﬁre in the ＣＩＴＹ", "fire in the CITY"),
        ("red\x1b[31m alert\x07 \u202ereversed\u202c", "red alert reversed"),
        ("line one\r\nline two<br>line three", "line one\nline two\nline three"),
        ("lone \ud800 surrogate", "lone surrogate"),
        ("no\uffff characters\ufdd0 of XML\ufffe", "no characters of XML"),
        ("", ""),
    ],
)
def test_markup_becomes_the_text_a_reader_would_see(markup: str, text: str) -> None:
    assert clean(markup) == text


def test_a_text_of_any_length_is_cut() -> None:
    assert len(clean("word " * MAX_CHARACTERS)) <= MAX_CHARACTERS
    assert clean("<div>" * 50_000 + "deep") in ("deep", "")


@pytest.mark.parametrize(
    "piece", ["<a", "<a ", "<!--", "</", "&", "&#", "&amp", "<div>", "<b><p>", "<p>x</p><a", "\u0301\u0323", "\n "]
)
def test_hostile_text_costs_no_more_than_its_length(piece: str) -> None:
    began = process_time()
    clean((piece * 4 * MAX_CHARACTERS)[: 4 * MAX_CHARACTERS])
    assert process_time() - began < 2.5


@pytest.mark.parametrize("form", ["<p {}>seen", "</p {}>seen", "<p {}/>seen", "<p\n{}>seen", "<b><svg {}/>seen</b>"])
@pytest.mark.parametrize("attribute", ["a{} ", "a{}/", "a{}=1 ", "a{}='x > y' ", 'a{}=">" '])
def test_an_element_with_any_number_of_attributes_costs_no_more_than_its_length(form: str, attribute: str) -> None:
    """The parser compares each attribute with all others: 80,000 took 50 s."""
    began = process_time()
    assert clean(form.format("".join(attribute.format(number) for number in range(40_000)))) == "seen"
    assert process_time() - began < 1


@pytest.mark.parametrize(
    "markup",
    [
        "<p title='a > b'>One <img alt=\"it's > x\" src=x/>two</p><br/>three",
        "<script>if (a < b && c = '<p x=\"') {}</script>One<style>p > a {}</style> <svg/>two<!-- <a href=\"> -->",
        "<!DOCTYPE html><?xml x='>'?>3 < 4 and 5 > 4 <a href='/?a=1&amp;b=2'>link</a><iframe src=x></iframe>",
    ],
)
def test_a_long_text_is_read_as_a_short_one_is(markup: str) -> None:
    """Above 20,000 characters attributes are left out before the parser sees them."""
    assert clean(markup + " " * 20_001) == clean(markup)


def test_marks_on_letters_stay_and_stacks_of_them_end() -> None:
    assert clean("e\u0301" * 40) == "é" * 40
    assert clean("हिन्दी में " * 9).strip() == ("हिन्दी में " * 9).strip()
    assert clean("—" * 99) == "—" * 99
    assert len(clean("x" + "\u0335" * 99)) == 31


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Mayor’s plan: 1,200 homes, 3.5% more", ["mayor", "plan", "1200", "homes", "3.5", "more"]),
        ("Don't panic, O'Neill", ["don't", "panic", "neill"]),
        ("L'homme d'affaires, qu'il", ["homme", "affaires", "qu'il"]),
        ("snake_case and-hyphen", ["snake", "case", "and", "hyphen"]),
        ("ΟΔΟΣ Straße", ["οδοσ", "strasse"]),
        ("!!! ... —", []),
        ("x" * 99, ["x" * 30]),
    ],
)
def test_tokens_are_case_folded_words_and_numbers(text: str, words: list[str]) -> None:
    assert tokens(text) == words


@pytest.mark.parametrize(
    ("lang", "text", "words"),
    [
        ("zh", "武汉市发生火灾", ["武汉市", "发生", "火灾"]),
        ("zh", "臺灣颱風", ["台湾", "台风"]),
        ("ja", "日本銀行は金利を引き上げる。", ["日本", "銀行", "は", "金利", "を", "引き", "上げる"]),
        ("ja", "ロケット打ち上げ・成功", ["ロケット", "打ち", "上げ", "成功"]),
        ("ja", "ﾛｹｯﾄ ３機", ["ロケット", "3", "機"]),
        ("ko", "소방당국은 3일", ["소방", "당국", "은", "3", "일"]),
        ("en", "Mayor of 東京都", ["mayor", "of", "東京", "京都"]),
        ("", "水", ["水"]),
        ("th", "ไฟไหม้", ["ไฟไห", "ฟไหม", "ไหม้"]),
        ("hi", "दिल्ली में आग", ["दिल्ली", "में", "आग"]),
        ("bn", "ঢাকায় আগুন", ["ঢাকায়", "আগুন"]),
        ("ar", "مُـــحَمَّد ٦٫١ درجات، ١٬٢٠٠", ["محمد", "6.1", "درجات", "1200"]),
        ("fa", "كتاب علي", ["کتاب", "علی"]),
        ("he", "שָׁלוֹם, עולם", ["שלום", "עולם"]),
        ("hi", "१२ लोग", ["12", "लोग"]),
        ("tr", "İZMİR'de IŞIK", ["izmir'de", "ışık"]),
        ("en", "İzmir", ["izmir"]),
        ("ru", "Ещё ёлка", ["еще", "елка"]),
        ("sr", "Љубљана и Ниш", ["ljubljana", "i", "niš"]),
    ],
)
def test_words_are_found_and_spelled_alike_in_every_script(lang: str, text: str, words: list[str]) -> None:
    assert tokens(clean(text), lang) == words


def test_a_run_without_spaces_of_any_length_costs_no_more_than_its_length() -> None:
    assert len(tokens("火" * MAX_CHARACTERS, "zh")) >= MAX_CHARACTERS // 3
    assert len(tokens("ก" * MAX_CHARACTERS, "th")) == MAX_CHARACTERS - 3


@pytest.mark.parametrize(
    ("stated", "text", "lang"),
    [
        ("en-US", "", "en"),
        ("de_AT", "", "de"),
        ("eng", "", "en"),
        ("nb", "", "no"),
        ("", "The government said on Tuesday that the bridge would be closed for repairs.", "en"),
        ("xx", "El gobierno anunció hoy nuevas medidas contra la sequía en el sur.", "es"),
        ("<script>", "Die Regierung hat am Dienstag neue Maßnahmen gegen die Dürre beschlossen.", "de"),
        ("", "今日は東京で大きな地震がありました。", "ja"),
        ("", "北京今天发生了一起重大事故，造成多人受伤。", "zh"),
        ("", "قال الرئيس اليوم إن الحكومة ستتخذ إجراءات جديدة لمواجهة الجفاف", "ar"),
        ("", "Правительство объявило сегодня о новых мерах борьбы с засухой на юге страны", "ru"),
        ("", "能登地震、死者三人に", "ja"),
        ("", "Apple、新型iPhoneを東京で発表", "ja"),
        ("", "央行降准0.5个百分点", "zh"),
        ("", "优の良品北京第一家门店今天正式开业", "zh"),
        ("", "이재용 삼성전자 회장, TSMC 방문", "ko"),
        ("", "ไฟไหม้โรงงาน", "th"),
        ("", "שריפה במפעל", "he"),
        ("", "Σεισμός στην Κρήτη", "el"),
        ("", "Президент встретился с CEO OpenAI", "ru"),
        ("", "The word ไฟไหม้ means fire, and it is seen on many signs in Bangkok", "en"),
        ("", "Bundesliga: FC Bayern schlägt Dortmund 3:1", "de"),
        ("", "東京", "und"),
        ("", "OK", "und"),
        ("", "", "und"),
    ],
)
def test_a_stated_language_wins_and_the_rest_is_detected(stated: str, text: str, lang: str) -> None:
    assert language(stated, text) == lang


def test_a_language_is_the_same_at_every_call() -> None:
    text = "Der Fluss ist in der Nacht über die Ufer getreten."
    assert {language("", text) for _ in range(20)} == {"de"}


GERMAN = "Der Fluss ist in der Nacht über die Ufer getreten."


def test_a_text_too_short_or_unsure_takes_the_language_around_it_and_a_clear_one_keeps_its_own() -> None:
    assert language("", "Goals!", "en") == "en"
    assert language("", "ECB SMP QE traders 2014", "en") == "en"
    assert language("", GERMAN, "en") == "de"
    assert language("fr", "Goals!", "en") == "fr"


def test_texts_too_short_alone_tell_their_language_together() -> None:
    headlines = ["Talks fail again", "The rain goes on", "Mayor is ill", "Bank cuts its rate", "All of them saved"]
    assert {language("", headline) for headline in headlines} == {"und"}
    assert common_language(headlines) == "en"


def test_where_two_languages_stand_together_none_is_common() -> None:
    english = "The river has burst its banks in the night."
    assert common_language([GERMAN] * 30 + [english] * 30) == "und"
    assert common_language([GERMAN] * 60 + [english] * 5) == "de"
    assert common_language([]) == "und"


@pytest.mark.parametrize(
    ("text", "lang", "found"),
    [
        ("", "en", []),
        ("Mayor Ilse Tarnow spoke in Vellmark.", "en", ["ilse", "mayor", "tarnow", "vellmark"]),
        ("The mayor spoke. The dam, the Orsk dam, held.", "en", ["orsk"]),
        ("Mayor speaks\nThe mayor of Vellmark speaks. The end is near, the dam gone.", "en", ["vellmark"]),
        ("Floods. Nobody knew.", "en", ["floods", "nobody"]),
        ("VELLMARK DAM BREAKS", "en", ["breaks", "dam", "vellmark"]),
        ("VELLMARK DAM BREAKS\nThe dam breaks at Vellmark; nobody saw the break.", "en", ["vellmark"]),
        ("in Tarnow's house, at O'Neill’s and McDonald's", "en", ["mcdonald", "neill", "tarnow"]),
        ("an iPhone, a B-52 and 12 GB of A1", "en", ["gb"]),
        ("Saint-Étienne et l'Espagne, d'Artagnan", "fr", ["artagnan", "espagne", "saint", "étienne"]),
        ("Der Damm bei Vellmark brach; das Wasser stieg.", "de", ["damm", "der", "vellmark", "wasser"]),
        ("Die Straße war leer, die STRASSE nass.", "de", ["strasse"]),
        ("İstanbul ve Iğdır'da, IŞIK ılık", "tr", ["istanbul", "ığdır", "ışık"]),
        ("Пожар в Орле. Возле пожар, Фёдор", "ru", ["возле", "орле", "федор"]),
        ("Мајка у Београду", "sr", ["beogradu", "majka"]),
        ("Η πυρκαγιά στην Αθήνα", "el", ["αθήνα"]),
        ("東京で地震", "ja", []),
        ("الحريق في بيروت", "ar", []),
        ("שריפה בירושלים", "he", []),
        ("दिल्ली में आग", "hi", []),
    ],
)
def test_names_are_the_words_that_are_never_written_small(text: str, lang: str, found: list[str]) -> None:
    assert sorted(names(text, lang)) == sorted(found)


@pytest.mark.parametrize(
    ("text", "lang"),
    [
        ("Mayor Tarnow's Dam in Vellmark", "en"),
        ("Überschwemmung in der Straße", "de"),
        ("Пожар в Орле, Фёдор", "ru"),
        ("Мајка у Београду", "sr"),
        ("İstanbul, Iğdır", "tr"),
        ("À Saint-Étienne, l'Espagne", "fr"),
    ],
)
def test_a_name_is_spelled_as_the_token_is(text: str, lang: str) -> None:
    assert names(text, lang) <= set(tokens(text, lang))


@given(st.text(st.sampled_from("aAbIiéÉжЖ東ß .-'’“3_\n"), max_size=60))
def test_names_are_found_by_their_definition(text: str) -> None:
    """The same, word by word, whatever the text allows to be read faster."""
    spelled = re.findall(r"[^\W\d_]{2,}", text)
    capital = {word.casefold() for word in spelled if word[0].isupper()}
    assert names(text, "en") == capital - {word.casefold() for word in spelled if not word[0].isupper()}
