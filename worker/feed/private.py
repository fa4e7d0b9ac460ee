"""Which addresses belong to no public network: those that a feed, which anyone may write, must not lead us to.

Invariant: pure; what is not known to be public counts as private. Names are not looked up here.
"""

from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address, ip_network
from socket import inet_aton

_OF_THIS_MACHINE = "an address of this machine"
_LINK_LOCAL = "a link-local address"
_OF_A_NETWORK = "an address of a private network"
_MULTICAST = "a multicast address"
_RESERVED = "a reserved address"

_V4 = tuple(
    (ip_network(network), what)
    for network, what in {
        "0.0.0.0/8": _OF_THIS_MACHINE,
        "127.0.0.0/8": _OF_THIS_MACHINE,
        "169.254.0.0/16": _LINK_LOCAL,  # where clouds keep the credentials of a machine
        "10.0.0.0/8": _OF_A_NETWORK,
        "100.64.0.0/10": _OF_A_NETWORK,  # of a provider (RFC 6598)
        "172.16.0.0/12": _OF_A_NETWORK,
        "192.168.0.0/16": _OF_A_NETWORK,
        "224.0.0.0/4": _MULTICAST,
        "192.88.99.0/24": _RESERVED,
        "198.18.0.0/15": _RESERVED,
        "240.0.0.0/4": _RESERVED,
    }.items()
)
_V6 = tuple(
    (IPv6Network(network), what)
    for network, what in {
        "::/127": _OF_THIS_MACHINE,
        "fe80::/10": _LINK_LOCAL,
        "fc00::/7": _OF_A_NETWORK,
        "fec0::/10": _OF_A_NETWORK,
        "64:ff9b:1::/48": _OF_A_NETWORK,
        "ff00::/8": _MULTICAST,
    }.items()
)
_GLOBAL = IPv6Network("2000::/3")
_CARRIERS = tuple(
    (IPv6Network(network), shift)
    for network, shift in {"::ffff:0:0/96": 0, "::ffff:0:0:0/96": 0, "64:ff9b::/96": 0, "2002::/16": 80}.items()
)
"""Networks whose addresses hold an IPv4 address, so many bits from their end: mapped (RFC 4291), translated (RFC 2765),
NAT64 (RFC 6052), 6to4 (RFC 3056)."""


def why_private(address: str) -> str:
    """What an IP address is, in words, where it is of no public network; "" for a public one.

    An IPv6 address that holds an IPv4 address is what that one is. Raises ValueError for what is no IP address.
    """
    found = ip_address(address.partition("%")[0])
    return _why_v4(found) if isinstance(found, IPv4Address) else _why_v6(found)


def why_private_host(host: str) -> str:
    """The same of a host as a person writes it, in any notation of a number; "" for a name other than `localhost`."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return _OF_THIS_MACHINE
    try:
        return why_private(name)
    except ValueError:
        pass
    try:
        return _why_v4(IPv4Address(inet_aton(name)))
    except (OSError, UnicodeError, ValueError):
        return ""


def _why_v4(address: IPv4Address) -> str:
    known = next((what for network, what in _V4 if address in network), "")
    return known or ("" if address.is_global else _RESERVED)


def _why_v6(address: IPv6Address) -> str:
    for network, shift in _CARRIERS:
        if address in network:
            return _why_v4(IPv4Address(int(address) >> shift & 0xFFFFFFFF))
    if known := next((what for network, what in _V6 if address in network), ""):
        return known
    if address.teredo is not None:  # both its server's address and its client's (RFC 4380)
        return next((why for inner in address.teredo if (why := _why_v4(inner))), _RESERVED)
    return "" if address in _GLOBAL and address.is_global else _RESERVED
