"""The canonical form of an article's address: one for all links to one article, and never one for two articles."""

from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from worker.feed.canonical import canonical, is_page

PAGE = "https://harbourpost.com/2026/11/bridge-closed"

SAME = {
    "tracking": f"{PAGE}?utm_source=rss&utm_medium=feed&fbclid=IwAR0&gclid=x&mc_cid=1&mc_eid=2",
    "tracking in other letters": f"{PAGE}?UTM_Source=rss&CMP=share_btn_tw&at_medium=RSS&ns_campaign=1",
    "where the reader came from": f"{PAGE}?ref=rss&src=twitter&partner=rss&emc=rss&ocid=1",
    "http": "http://harbourpost.com/2026/11/bridge-closed",
    "www": "https://www.harbourpost.com/2026/11/bridge-closed",
    "a mobile host": "https://m.harbourpost.com/2026/11/bridge-closed",
    "a mobile host of a mobile host": "https://www.mobile.harbourpost.com/2026/11/bridge-closed",
    "letters and dot of the host": "HTTPS://HarbourPost.COM./2026/11/bridge-closed",
    "the default port": "http://harbourpost.com:80/2026/11/bridge-closed",
    "the default port of https": "https://harbourpost.com:443/2026/11/bridge-closed",
    "a name and a password": "https://me:secret@harbourpost.com/2026/11/bridge-closed",
    "a slash at the end": f"{PAGE}/",
    "an index page": f"{PAGE}/index.html",
    "an index page in PHP": f"{PAGE}/index.php?",
    "a fragment": f"{PAGE}#comments",
    "a text fragment": f"{PAGE}#:~:text=bridge",
    "amp at the end": f"{PAGE}/amp",
    "amp and a slash": f"{PAGE}/amp/",
    "amp at the beginning": "https://harbourpost.com/amp/2026/11/bridge-closed",
    "an amp ending": f"{PAGE}.amp",
    "an amp host": "https://amp.harbourpost.com/2026/11/bridge-closed",
    "amp in the query": f"{PAGE}?amp=1",
    "amp alone in the query": f"{PAGE}?amp",
    "amp as a type of output": f"{PAGE}?outputType=amp",
    "google's viewer": "https://www.google.com/amp/s/harbourpost.com/2026/11/bridge-closed/amp",
    "google's viewer of a country": "https://www.google.co.uk/amp/s/amp.harbourpost.com/2026/11/bridge-closed",
    "google's cache": "https://harbourpost-com.cdn.ampproject.org/c/s/harbourpost.com/2026/11/bridge-closed?usqp=mq331AQ",
    "google's cache of http": "https://harbourpost-com.cdn.ampproject.org/v/harbourpost.com/2026/11/bridge-closed",
    "google's redirection": "https://www.google.com/url?sa=t&url=https%3A%2F%2Fharbourpost.com%2F2026%2F11%2Fbridge-closed&ct=ga",
    "bing's redirection": "http://www.bing.com/news/apiclick.aspx?ref=FexRss&url=https%3a%2f%2fwww.harbourpost.com"
    "%2f2026%2f11%2fbridge-closed&c=1",
    "facebook's redirection": "https://l.facebook.com/l.php?u=https%3A%2F%2Fharbourpost.com%2F2026%2F11%2Fbridge-closed",
    "escapes of what needs none": "https://harbourpost.com/2026/11/%62ridge%2dclosed",
    "a session": f"{PAGE};jsessionid=0A1B2C",
    "white space around": f"  {PAGE}\n",
}


@pytest.mark.parametrize("link", SAME.values(), ids=SAME)
def test_links_to_one_article_have_one_form(link: str) -> None:
    assert canonical(link) == PAGE


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("https://a.com/story?id=1", "https://a.com/story?id=2"),
        ("https://a.com/?p=1", "https://a.com/?p=2"),
        ("https://a.com/story?ref=10442", "https://a.com/story?ref=10443"),
        ("https://a.com/story?source=reuters-1", "https://a.com/story?source=reuters-2"),
        ("https://a.com/story?m=1", "https://a.com/story?m=2"),
        ("https://a.com/story?s=1", "https://a.com/story?s=2"),
        ("https://a.com/story", "https://a.com/Story"),
        ("https://a.com/story", "https://a.com/story.html"),
        ("https://a.com/story/1", "https://a.com/story/1/2"),
        ("https://a.com/champion", "https://a.com/ch/ion"),
        ("https://a.com/ramp", "https://a.com/r"),
        ("https://a.com/index.html?id=1", "https://a.com/index.html?id=2"),
        ("https://a.com/default.aspx", "https://a.com/"),
        ("https://a.com/#!/story/1", "https://a.com/#!/story/2"),
        ("https://a.com/#/story/1", "https://a.com/#/story/2"),
        ("https://a.com:8443/story", "https://a.com/story"),
        ("https://news.a.com/story", "https://sport.a.com/story"),
        ("https://m.substack.com/p/x", "https://substack.com/p/x"),
        ("https://m.co.uk/x", "https://co.uk/x"),
        ("https://www.uk/x", "https://uk/x"),
        ("https://a.com/a%2Fb", "https://a.com/a/b"),
        ("https://a.com/a%3Fb", "https://a.com/a?b"),
        ("https://a.com/x?q=a+b", "https://a.com/x?q=a%2Bb"),
        ("https://a.com/url?url=https://b.com/1", "https://a.com/url?url=https://b.com/2"),
    ],
)
def test_links_to_two_articles_keep_two_forms(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    ("link", "form"),
    [
        ("https://a.com/s?b=2&a=1&b=1", "https://a.com/s?a=1&b=2&b=1"),
        ("https://a.com/s?&&a=1&", "https://a.com/s?a=1"),
        ("https://mobile.de/auto", "https://mobile.de/auto"),
        ("https://www.com/x", "https://www.com/x"),
        ("https://blog.blogspot.com/2026/x.html?m=1", "https://blog.blogspot.com/2026/x.html"),
        ("https://www.zürich.ch/x", "https://xn--zrich-kva.ch/x"),
        ("http://[2001:db8::1]:8080/x/", "https://[2001:db8::1]:8080/x"),
        ("http://127.0.0.1/x", "https://127.0.0.1/x"),
        ("https://a.com", "https://a.com"),
        ("https://a.com/", "https://a.com"),
        ("ftp://a.com/x/", "ftp://a.com/x/"),
        ("mailto:a@a.com", "mailto:a@a.com"),
        ("https://[broken/", "https://[broken/"),
        ("https://a.com:99999/x", "https://a.com:99999/x"),
        ("no address", "no address"),
        ("", ""),
    ],
)
def test_forms(link: str, form: str) -> None:
    assert canonical(link) == form


@pytest.mark.parametrize("link", ["https://a.com", "https://a.com/#top", "", "no address"])
def test_a_site_as_a_whole_is_no_page(link: str) -> None:
    assert not is_page(canonical(link))


@pytest.mark.parametrize(
    "host", ["m." * 960 + "harbourpost.com", "a" * 60 + "." + "b." * 126 + "com", "ü" * 300 + ".de"]
)
def test_a_host_that_no_name_can_have_is_no_page(host: str) -> None:
    """Over 253 characters or 127 labels: nobody can open it."""
    link = f"https://{host}/a"
    assert (canonical(link), is_page(canonical(link))) == (link, False)


def test_hosts_of_many_labels_cost_little() -> None:
    """A feed may bring thousands of such links, and they are decided on where everything else is."""
    links = [f"https://{'m.' * most}z{n}.harbourpost.com/a" for n in range(200) for most in (110, 960)]
    began = process_time()
    pages = [is_page(canonical(link)) for link in links]
    assert pages == [True, False] * 200
    assert canonical(links[0]) == "https://z0.harbourpost.com/a"
    assert process_time() - began < 3


@pytest.mark.parametrize("link", ["https://a.com/x", "https://a.com/?p=1", "https://a.com/#!x"])
def test_a_page_is_one(link: str) -> None:
    assert is_page(canonical(link))


PIECES = [
    "https://", "http://", "HTTP://", "www.", "m.", "amp.", "google.com", "a.cdn.ampproject.org", "a.co.uk", "bing.com",
    "/amp/", "/amp", ".amp", ".amp.html", "/index.html", "/c/s/", "/url", "?", "&", "=", "url=", "u=", "utm_x=1", "amp",
    "%", "%2", "%41", "%25", "%2541", "%%34%31", "%2F", ";jsessionid=", "#", "#!", "#/", "//", "/", "\u3000", " ", "\t",
    "İ", "ß", "\ud800", "[", "]", "@", ":", ":80", ":443", ":8080", "l.php", "facebook.com", "apiclick.aspx", "/news/",
]  # fmt: skip


@given(st.one_of(st.text(), st.lists(st.sampled_from(PIECES), max_size=14).map("".join)))
def test_the_canonical_form_of_a_canonical_form_is_itself(text: str) -> None:
    """Whatever the text is; and nothing raises."""
    assert canonical(canonical(text)) == canonical(text)
    assert canonical(f"https://a.com/{text}") == canonical(canonical(f"https://a.com/{text}"))
