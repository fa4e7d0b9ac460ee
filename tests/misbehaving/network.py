"""Servers that cannot be reached, or not trusted, and connections that are reused."""

from tests.misbehaving.answering import feed, headed, kept, raw
from tests.misbehaving.case import FIRST, ONE, Case, Places, channel, item


def network(at: Places) -> list[Case]:
    """The cases. A case at "kept" is asked again over the connection of its first answer."""
    down = at.nowhere.partition("//")[2]
    return [
        Case("down", "is not running", [feed(ONE)], "unreachable", at="nowhere",
             told=f"cannot be reached at {down} (connection refused): is the server up?", waits_h=(0, 1.2)),
        Case("unknown", "has a host that nobody knows", [feed(ONE)], "unreachable", at="unknown",
             told=f"no server is known by the name '{at.unknown.partition('//')[2]}': check the address, and the "
             "network"),
        Case("numbered", "can be reached over IPv6 alone", [feed(ONE)], "ok", titles=(FIRST,), at="numbered"),
        Case("good", "has a certificate that can be trusted", [feed(ONE)], "ok", titles=(FIRST,), at="trusted"),
        Case("self-signed", "has a certificate that it signed itself", [feed(ONE)], at="self_signed",
             told="has a certificate that it signed itself: trust it by SSL_CERT_FILE, or remove the feed"),
        Case("expired", "has a certificate that has expired", [feed(ONE)], at="expired",
             told="has a certificate that has expired: its owner has to renew it, and it is tried again later"),
        Case("other-name", "has a certificate for another name", [feed(ONE)], at="other_name",
             told="has a certificate for another name: check the address"),
        Case("stranger", "has a certificate of an issuer that nobody knows", [feed(ONE)], at="stranger",
             told="has a certificate that cannot be trusted: open it in a browser to see why"),
        Case("no-tls", "does not speak TLS at an https address", [feed(ONE)], at="plain", path=at.tls(at.plain),
             told="does not speak TLS as we do: see whether its address begins with http:// instead"),
        Case("only-tls", "speaks nothing but TLS at an http address", [feed(ONE)], at="trusted",
             path=at.tls(at.trusted),
             told="closed the connection without an answer: see whether its address begins with https://"),
        Case("closed", "closes the connection without an answer", [raw()],
             told="closed the connection without an answer: see whether its address begins with https://"),
        Case("ssh", "is no web server", [raw(b"SSH-2.0-OpenSSH_9.2\r\n")],
             told="does not answer as a web server does: check the address"),
        Case("no-status", "sends its document without any headers", [raw(ONE.encode())],
             told="does not answer as a web server does: check the address"),
        Case("odd-status", "has a status line of nonsense", [raw(b"HTTP/9.9 OK fine\r\n\r\n" + ONE.encode())],
             told="does not answer as a web server does: check the address"),
        Case("header-flood", "sends 10,000 headers", [headed(b"\r\n".join([b"X-Y: z"] * 10_000), ONE)],
             told="does not answer as a web server does: check the address"),
        Case("huge-header", "sends a header of a megabyte", [headed(b"X-Y: " + b"z" * 1_000_000, ONE)],
             told="does not answer as a web server does: check the address"),
        Case("two-answers", "sends an answer that nobody asked for after the first, to be taken for the next feed's",
             [kept(ONE, channel(item("A lie"))), kept(ONE)], "same-body", titles=(FIRST,), at="kept"),
        Case("kept", "closes connections that it said it would keep", [kept(ONE)] * 2, "same-body", titles=(FIRST,),
             at="kept"),
    ]  # fmt: skip
