"""Web pages in the shapes of real outlets, written for the tests: one report, and what sites put around it.

Each layout is a function without arguments that returns a Layout; `LAYOUTS` has them all by name.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass

TITLE = "Harbour bridge closed after cargo ship hits pier"
PARAGRAPHS = (
    "The harbour bridge of Port Ellery was closed to all traffic on Monday after a cargo ship hit one of its piers.",
    "The ship, the Northern Crown, had lost steering in strong wind shortly after five in the morning, the harbour "
    "master, Ines Valdorf, told reporters.",
    "Nobody was hurt. Divers will look at the foundations on Tuesday, and until then no train and no car may cross.",
    "About 40,000 people use the bridge every day. The city has put extra ferries on the crossing at Saltmarsh Quay, "
    "but commuters were told to expect delays of more than an hour.",
    "Engineers who inspected the pier from a boat saw a crack of nearly two metres just above the waterline, a member "
    "of the city council said.",
    "The shipping company said it was working with investigators and that the pilot had been on the bridge of the "
    "vessel when the rudder failed.",
    "In 1998 a barge hit the same pier. Repairs took seven weeks then and cost eleven million crowns.",
)
SUMMARY = PARAGRAPHS[0]

NAVIGATION = "Weather Traffic Puzzles Obituaries Classifieds"
MENU = "Classifieds"
COOKIES = "We and our 842 partners store information on your device to show personalised advertising"
RELATED = (
    "Ten soups for the autumn table",
    "Why the opera has lost its conductor",
    "Chess: the queen's gambit explained",
)
COMMENTS = ("I never liked that ugly bridge anyway, build a tunnel", "First! Greetings from the north shore, dear all")
NEWSLETTER = "Subscribe to our free morning newsletter and never miss a story"
FOOTER = "All rights reserved. Terms of use, privacy notice, imprint, careers at this publishing house"


@dataclass(frozen=True)
class Layout:
    """A page, and what must and must not be found of it."""

    body: bytes
    title: str = TITLE
    found: tuple[str, ...] = PARAGRAPHS
    left_out: tuple[str, ...] = (MENU, FOOTER)
    content_type: str = "text/html; charset=utf-8"
    lang: str = "en"
    canonical: str = ""
    published: float | None = None


def _links(titles: tuple[str, ...]) -> str:
    return "".join(f'<li><a href="/story/{n}">{title}</a></li>' for n, title in enumerate(titles))


def _paragraphs(texts: tuple[str, ...] = PARAGRAPHS, tag: str = "p") -> str:
    return "".join(f"<{tag}>{text}</{tag}>\n" for text in texts)


def _page(main: str, head: str = "", lang: str = "en", title: str = TITLE) -> str:
    """A page around its main part: a menu, and a footer."""
    menu = "".join(f'<li><a href="/{word.lower()}">{word}</a></li>' for word in NAVIGATION.split())
    sections = "".join(f'<a class="s" href="/{word.lower()}">{word}</a> ' for word in NAVIGATION.split())
    return (
        f'<!DOCTYPE html><html lang="{lang}"><head><meta charset="utf-8"><title>{title} | The Ellery Courier</title>'
        f'{head}</head><body><header><nav><ul>{menu}</ul></nav></header><div class="sections">{sections}</div>\n'
        f"{main}\n"
        f"<footer><p>{FOOTER}</p></footer></body></html>"
    )


def classic() -> Layout:
    """An article element, a headline, a byline, figures, and meta elements that say it all again."""
    head = (
        '<link rel="canonical" href="https://www.courier.example/news/bridge-closed">'
        f'<meta property="og:title" content="{TITLE}"><meta name="description" content="{SUMMARY}">'
        '<meta property="article:published_time" content="2025-06-16T06:30:00+02:00">'
    )
    main = (
        f'<main><article><h1>{TITLE}</h1><p class="byline">By <a href="/a/rho">Rho Tannen</a></p>'
        '<figure><img src="/bridge.jpg" alt=""><figcaption>The bridge in 2019. Photo: archive</figcaption></figure>'
        f"{_paragraphs()}</article></main>"
    )
    return Layout(
        _page(main, head).encode(),
        canonical="https://www.courier.example/news/bridge-closed",
        published=1_750_048_200.0,
    )


def paragraphs_in_divs() -> Layout:
    """No paragraph elements: each paragraph is a div with a class that a build made up."""
    text = "".join(f'<div class="css-1x{n}f"><div><span>{text}</span></div></div>' for n, text in enumerate(PARAGRAPHS))
    main = f'<div id="root"><div class="css-9k2"><h1 class="css-h">{TITLE}</h1><div>{text}</div></div></div>'
    return Layout(_page(main).encode())


def amp() -> Layout:
    """An AMP page: its own elements, styles of thirty lines, a canonical link to the real page."""
    head = (
        '<link rel="canonical" href="/news/bridge-closed"><style amp-custom>body{margin:0}.x{color:red}</style>'
        '<script async src="https://cdn.example/v0.js"></script>'
    )
    main = (
        f'<amp-sidebar id="s" layout="nodisplay"><ul>{_links(RELATED)}</ul></amp-sidebar>'
        f'<article class="amp-wp-article"><header><h1 class="amp-title">{TITLE}</h1></header><div class="amp-content">'
        f'<amp-img src="/b.jpg" width="600" height="400"></amp-img>{_paragraphs()}'
        '<amp-ad type="x" width="300" height="250"></amp-ad></div></article>'
    )
    page = _page(main, head).replace("<html ", "<html amp ")
    return Layout(page.encode(), left_out=(*RELATED, FOOTER), canonical="https://courier.example/news/bridge-closed")


def with_comments() -> Layout:
    """Longer comments than many a text."""
    talk = "".join(
        f'<li class="comment"><div class="comment-author">reader {n}</div><div class="comment-body"><p>{text}. {text}, '
        "and let me add that the council has known of this for years and did nothing at all about it.</p></div></li>"
        for n, text in enumerate(COMMENTS * 5)
    )
    main = (
        f'<article><h1>{TITLE}</h1><div class="entry-content">{_paragraphs()}</div></article>'
        f'<section id="comments" class="comments-area"><h2>10 comments</h2><ol class="list">{talk}</ol></section>'
    )
    return Layout(_page(main).encode(), left_out=(*COMMENTS, FOOTER))


def with_cookie_banner() -> Layout:
    """A consent dialog stands before everything."""
    dialog = (
        f'<div id="cookie-consent" class="cookie-banner" role="dialog"><h2>Your privacy</h2><p>{COOKIES}.</p>'
        "<p>You may change your choice at any time in the privacy centre, or object where legitimate interest is used."
        "</p><button>Accept all</button><button>Reject</button></div>"
    )
    main = f"{dialog}<main><article><h1>{TITLE}</h1>{_paragraphs()}</article></main>"
    return Layout(_page(main).encode(), left_out=(COOKIES, FOOTER))


def with_related_stories() -> Layout:
    """Lists of other stories in the middle of the text and after it, and a newsletter box."""
    teasers = "".join(f'<li class="teaser"><h3><a href="/s/{n}">{t}</a></h3></li>' for n, t in enumerate(RELATED))
    box = f'<aside class="related"><h2>Read more</h2><ul>{teasers}</ul></aside>'
    letter = f'<div class="newsletter-signup"><p>{NEWSLETTER}</p><input name="email"></div>'
    main = (
        f'<article><h1>{TITLE}</h1><div class="article-body">{_paragraphs(PARAGRAPHS[:3])}{box}'
        f'{_paragraphs(PARAGRAPHS[3:])}{letter}</div></article><section class="related-articles"><h2>Most read</h2>'
        f"<ul>{teasers}</ul></section>"
    )
    return Layout(_page(main).encode(), left_out=(*RELATED, NEWSLETTER, FOOTER))


def live_blog() -> Layout:
    """Posts with times, the newest first."""
    posts = "".join(
        f'<article class="liveblog-post" id="p{n}"><time datetime="2025-06-16T{14 - n:02}:05:00Z">{14 - n}:05</time>'
        f"<h2>Update {n}</h2><p>{text}</p></article>"
        for n, text in enumerate(reversed(PARAGRAPHS))
    )
    main = f'<main><h1>{TITLE}</h1><div class="liveblog">{posts}</div></main>'
    return Layout(_page(main).encode())


def paginated() -> Layout:
    """The first of three pages."""
    pages = (
        '<nav class="pagination"><a href="?page=2" rel="next">Next page: the owners</a> <a href="?page=3">3</a></nav>'
    )
    main = f'<article><h1>{TITLE}</h1><div class="text">{_paragraphs(PARAGRAPHS[:5])}</div>{pages}</article>'
    return Layout(_page(main).encode(), found=PARAGRAPHS[:5], left_out=("Next page: the owners", FOOTER))


def structured_data_only() -> Layout:
    """A page that scripts draw: nothing in its body, and the text as schema.org's articleBody."""
    data = {
        "@context": "https://schema.org",
        "@type": "NewsArticle",
        "headline": TITLE,
        "datePublished": "2025-06-16T04:30:00Z",
        "articleBody": "\n\n".join(PARAGRAPHS),
    }
    head = f'<script type="application/ld+json">{json.dumps(data)}</script><script src="/app.js"></script>'
    page = f'<!DOCTYPE html><html lang="en"><head><title>Courier</title>{head}</head><body><div id="app"></div></body>'
    return Layout(page.encode(), published=1_750_048_200.0)


def paywalled() -> Layout:
    """Two sentences, then an offer: there is no more to be had than the summary."""
    offer = "Continue reading with a subscription: four weeks for one crown, cancel at any time"
    main = (
        f'<article><h1>{TITLE}</h1><p class="lead">{PARAGRAPHS[0]}</p><p class="fade">{PARAGRAPHS[1][:60]}...</p>'
        f'<div class="paywall"><h2>{offer}</h2><button>Subscribe</button></div></article>'
    )
    return Layout(_page(main).encode(), found=PARAGRAPHS[:1], left_out=(FOOTER, *PARAGRAPHS[2:]))


def old_tables() -> Layout:
    """Nested tables, font elements, no doctype, line breaks for paragraphs."""
    text = "<br><br>\n".join(PARAGRAPHS)
    menu = "<br>".join(f'<a href="{word}.htm">{word}</a>' for word in NAVIGATION.split())
    body = (
        f'<HTML><HEAD><TITLE>{TITLE}</TITLE></HEAD><BODY BGCOLOR="#FFFFFF"><TABLE WIDTH="760"><TR><TD WIDTH="120" '
        f'VALIGN="top"><FONT SIZE="1">{menu}</FONT></TD><TD VALIGN="top"><FONT SIZE="5"><B>{TITLE}</B></FONT><P>'
        f'<FONT FACE="Times">{text}</FONT></P></TD></TR><TR><TD COLSPAN="2"><FONT SIZE="1"><A HREF="/">{FOOTER}</A>'
        "</FONT></TD></TR></TABLE></BODY></HTML>"
    )
    return Layout(body.encode("ascii"), lang="", left_out=(MENU,), content_type="text/html")


RUSSIAN = (
    "Мост в порту закрыт после столкновения с сухогрузом",
    "Движение по мосту через гавань было полностью остановлено в понедельник утром после того, как сухогруз врезался в "
    "одну из опор.",
    "По словам капитана порта, судно потеряло управление при сильном ветре. Никто не пострадал.",
    "Водолазы осмотрят фундамент во вторник, до этого поезда и автомобили по мосту не пойдут.",
    "Ежедневно мостом пользуются около сорока тысяч человек, город пустил дополнительные паромы.",
)


def windows_1251() -> Layout:
    """A Russian page in an encoding that only a meta element states, late."""
    main = f"<div class='content'><h1>{RUSSIAN[0]}</h1>{_paragraphs(RUSSIAN[1:])}</div>"
    page = _page(main, "<!-- шапка -->" * 60, "ru", RUSSIAN[0])
    stated = page.replace(
        '<meta charset="utf-8">', '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">'
    )
    return Layout(stated.encode("cp1251"), title=RUSSIAN[0], found=RUSSIAN[1:], lang="ru", content_type="text/html")


ARABIC = (
    "إغلاق جسر الميناء بعد اصطدام سفينة شحن بإحدى دعاماته",
    "أغلقت السلطات جسر الميناء أمام حركة المرور بالكامل صباح الاثنين بعد أن اصطدمت سفينة شحن بإحدى دعاماته الرئيسية.",
    "وقالت مديرة الميناء إن السفينة فقدت القدرة على التوجيه بسبب الرياح القوية، ولم يصب أحد بأذى.",
    "وسيفحص الغواصون الأساسات يوم الثلاثاء، وحتى ذلك الحين لن تعبر القطارات ولا السيارات.",
    "ويستخدم الجسر نحو أربعين ألف شخص كل يوم، وقد سيّرت المدينة عبّارات إضافية.",
)


def arabic() -> Layout:
    """From right to left."""
    text = f'<div class="article__body">{_paragraphs(ARABIC[1:])}</div>'
    main = f'<main dir="rtl"><article><h1>{ARABIC[0]}</h1>{text}</article></main>'
    page = _page(main, lang="ar", title=ARABIC[0]).replace("<body>", '<body dir="rtl">')
    return Layout(page.encode(), title=ARABIC[0], found=ARABIC[1:], lang="ar")


CHINESE = (
    "货轮撞上桥墩 港口大桥全面封闭",
    "周一清晨,一艘货轮撞上港口大桥的一座桥墩,大桥随即对所有车辆封闭。",
    "港务局局长表示,该船在强风中失去操控能力,事故没有造成人员伤亡。",
    "潜水员将于周二检查桥墩基础,在此之前火车和汽车都不得通行。",
    "每天约有四万人使用这座大桥,市政府已在盐沼码头增开渡轮,但提醒市民预留一个小时以上的时间。",
    "一九九八年,一艘驳船曾撞上同一座桥墩,当时的修复工程历时七周,耗资一千一百万克朗。",
)


def chinese() -> Layout:
    """Without spaces, in an encoding that only the header states."""
    main = f'<div class="main-content"><h1>{CHINESE[0]}</h1><div id="artibody">{_paragraphs(CHINESE[1:])}</div></div>'
    page = _page(main, lang="zh-CN", title=CHINESE[0]).replace('<meta charset="utf-8">', "")
    return Layout(
        page.encode("gb18030"), title=CHINESE[0], found=CHINESE[1:], lang="zh-CN", content_type="text/html;charset=GBK"
    )


def script_soup() -> Layout:
    """A megabyte of scripts, styles and hidden data around seven paragraphs, and elements that are never closed."""
    junk = "".join(
        f"<script>window.q=window.q||[];q.push({{html:'<p>Buy {n} socks</p>'}})</script><style>.a{n}{{x:y}}</style>"
        for n in range(4_000)
    )
    data = '<script id="__NEXT_DATA__" type="application/json">' + json.dumps({"p": ["socks"] * 20_000}) + "</script>"
    main = f"<div class=wrap>{junk}<article><h1>{TITLE}</h1><div class=body>{_paragraphs()}</div>{junk}</article>{data}"
    return Layout(_page(main).encode(), left_out=("socks", "window.q", FOOTER))


def unclosed_markup() -> Layout:
    """Paragraphs, list items and spans that are not closed, attributes without quotes, stray ends."""
    text = "".join(f"<p class=par>{text}</b>" for text in PARAGRAPHS)
    main = f"<div class=story><h1>{TITLE}</h1><span>{text}</div></div></em>"
    return Layout(_page(main).encode())


LAYOUTS: dict[str, Callable[[], Layout]] = {
    layout.__name__: layout
    for layout in (
        classic,
        paragraphs_in_divs,
        amp,
        with_comments,
        with_cookie_banner,
        with_related_stories,
        live_blog,
        paginated,
        structured_data_only,
        paywalled,
        old_tables,
        windows_1251,
        arabic,
        chinese,
        script_soup,
        unclosed_markup,
    )
}
