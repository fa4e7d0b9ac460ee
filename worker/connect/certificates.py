"""Looks at the certificates that an address names, before a connection does: redis-py tells nothing apart there.

Invariant: nothing of a file's content is in what is said of it.
"""

import ssl
from collections.abc import Mapping


def fault_of(options: Mapping[str, str]) -> str:
    """What is wrong with the `ssl_*` options of an address, and with the files that they name; "" for nothing."""
    if options.get("ssl_cert_reqs", "required") not in ("none", "optional", "required"):
        return "has an ssl_cert_reqs that is none of none, optional, required"
    if ("ssl_certfile" in options) != ("ssl_keyfile" in options):
        return "needs ssl_certfile and ssl_keyfile, or neither"
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        what = "ssl_ca_certs"
        if "ssl_ca_certs" in options or "ssl_ca_path" in options:
            context.load_verify_locations(options.get("ssl_ca_certs"), options.get("ssl_ca_path"))
        what = "ssl_certfile and ssl_keyfile"
        if "ssl_certfile" in options:
            # an empty password, or OpenSSL asks the terminal for it
            context.load_cert_chain(options["ssl_certfile"], options["ssl_keyfile"], options.get("ssl_password", ""))
        what = "ssl_ciphers"
        if "ssl_ciphers" in options:
            context.set_ciphers(options["ssl_ciphers"])
    except ssl.SSLError as error:
        return f"cannot be used with its {what}: {_reason(error)}"
    except OSError as error:
        return f"cannot be used with its {what}: {error.strerror}"
    return ""


def _reason(error: ssl.SSLError) -> str:
    code = getattr(error, "reason", None) or str(error)  # OpenSSL's errors have one, those of Python's ssl a text
    return next((words for part, words in _REASONS.items() if part in code), "they cannot be read as PEM")


_REASONS = {
    "KEY_VALUES_MISMATCH": "the key is not the certificate's",
    "NO_CERTIFICATE_OR_CRL_FOUND": "there is no certificate in the file",
    "No cipher": "nobody knows these ciphers",
    "BAD_DECRYPT": "ssl_password does not open the key",
    "BAD_PASSWORD_READ": "the key needs an ssl_password",
}
