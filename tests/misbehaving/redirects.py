"""Servers that send us elsewhere, and those that want their cookies back."""

from tests.e2e.feed_server import page
from tests.misbehaving.answering import counting_cookies, feed, to, with_cookie
from tests.misbehaving.case import FIRST, ONE, Case, Places

_LOGIN = "<!DOCTYPE html><html><body><form>Your name?</form></body></html>"
_NEW = "look for its new address"


def redirects(at: Places) -> list[Case]:
    """The cases."""
    here = at.plain
    return [
        Case("relative", "redirects to a relative address", [to("elsewhere/feed")], "ok", titles=(FIRST,),
             more={"/elsewhere/feed": feed(ONE)}),
        Case("five", "redirects five times", [to("/five1")], "ok", titles=(FIRST,),
             more={f"/five{n}": to(f"/five{n + 1}", 301 + n % 2) for n in range(1, 5)} | {"/five5": feed(ONE)}),
        Case("far", "redirects again and again", [to("/far1")], told=f"redirects more than 5 times: {_NEW}",
             more={f"/far{n}": to(f"/far{n + 1}") for n in range(1, 9)}),
        Case("circle", "redirects to itself", [to("/circle")],
             told=f"redirects in a circle, through {here}/circle: {_NEW}"),
        Case("ring", "redirects in a ring of two", [to("/gnir")],
             told=f"redirects in a circle, through {here}/ring: {_NEW}", more={"/gnir": to("/ring")}),
        Case("accents", "redirects to an address with letters outside ASCII", [to("/größe")], "ok", titles=(FIRST,),
             more={"/gr%C3%B6%C3%9Fe": feed(ONE)}),
        Case("file", "redirects to a file", [to("file:///etc/passwd")],
             told=f"redirects to 'file:///etc/passwd', no http(s) address: {_NEW.replace('address', 'one')}"),
        Case("script", "redirects to a script", [to("javascript:alert(1)")],
             told=f"redirects to 'javascript:alert(1)', no http(s) address: {_NEW.replace('address', 'one')}"),
        Case("hostless", "redirects to an address without a host", [to("http://")],
             told=f"redirects to 'http://', no http(s) address: {_NEW.replace('address', 'one')}"),
        Case("nowhere", "redirects and does not say where to", [page("", status=302)],
             told=f"answers with status 302 and does not say where to: {_NEW}"),
        Case("private", "redirects to an address of a private network", [to("http://10.0.0.1/feed")],
             told="redirects to http://10.0.0.1/feed, which leads to 10.0.0.1, an address of a private network: if it "
             "may be read, add 10.0.0.1:80 to STORYWIRE_ALLOW_PRIVATE, or set it to 1 for all such"),
        Case("login", "redirects to a page that asks for a password", [to("/sign-in")],
             told=f"a web page, not a feed: look for its RSS address (redirected to {here}/sign-in)",
             more={"/sign-in": page(_LOGIN)}),
        Case("to-404", "redirects to a page that is not there", [to("/not-there", 301)],
             told=f"redirects to {here}/not-there, which answers with status 404: there is no such page: look for the "
             "feed's new address", more={"/not-there": page("", status=404)}),
        Case("to-unknown", "redirects to a host that nobody knows", [to(f"{at.unknown}/feed", 301)], "unreachable",
             f"no server is known by the name '{at.unknown.partition('//')[2]}': check the address, and the network"),
        Case("to-tls", "redirects from http to https", [to(f"{at.trusted}/good", 301)], "ok", titles=(FIRST,)),
        Case("cookie", "redirects to itself until it gets its cookie back",
             [with_cookie("seen=1", feed(ONE), to("/cookie", set_cookie="seen=1; Path=/"))], "ok", titles=(FIRST,)),
        Case("cookie-wall", "demands a cookie that another page gives out",
             [with_cookie("ok=yes", feed(ONE), to("/wall"))], "ok", titles=(FIRST,),
             more={"/wall": to("/cookie-wall", set_cookie="ok=yes; Path=/")}),
        Case("new-cookies", "redirects to itself with another cookie each time", [counting_cookies],
             told=f"redirects more than 5 times: {_NEW}"),
        Case("cookie-kept", "sets a cookie on every visit",
             [feed(ONE, set_cookie="visitor=17; Path=/")] * 2, "same-body", titles=(FIRST,),
             sent=lambda asked: "cookie" not in asked[-1].headers),
    ]  # fmt: skip
