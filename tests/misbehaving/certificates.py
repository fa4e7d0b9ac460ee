"""Certificates of every kind that the table needs, made anew for each run.

Invariant: only `trusting` trusts the issuer of some of them; the system trusts none.
"""

import ssl
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import trustme


class Certificates(NamedTuple):
    """Contexts of servers at 127.0.0.1, and of a client that trusts the issuer of the first three."""

    trusted: ssl.SSLContext
    expired: ssl.SSLContext
    other_name: ssl.SSLContext
    self_signed: ssl.SSLContext
    stranger: ssl.SSLContext
    trusting: ssl.SSLContext


def certificates() -> Certificates:
    """One of each kind."""
    issuer, host = trustme.CA(), "127.0.0.1"
    long_ago = datetime.now(UTC) - timedelta(days=900)
    trusting = ssl.create_default_context()
    issuer.configure_trust(trusting)
    return Certificates(
        trusted=_serving(issuer.issue_cert(host)),
        expired=_serving(issuer.issue_cert(host, not_before=long_ago, not_after=long_ago + timedelta(days=90))),
        other_name=_serving(issuer.issue_cert("other.example")),
        self_signed=_self_signed(trustme.CA()),
        stranger=_serving(trustme.CA().issue_cert(host)),
        trusting=trusting,
    )


def _serving(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context


def _self_signed(issuer: trustme.CA) -> ssl.SSLContext:
    """A server that shows an issuer's own certificate, which that signed itself."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    with issuer.private_key_pem.tempfile() as key, issuer.cert_pem.tempfile() as certificate:
        context.load_cert_chain(certificate, key)
    return context
