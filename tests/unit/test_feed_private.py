"""Which addresses count as private: every kind that a feed could lead to, in every notation."""

import pytest

from worker.config import endpoints, load
from worker.errors import BadSetting
from worker.feed.private import why_private, why_private_host

PRIVATE = {
    "an address of this machine": "127.0.0.1 127.255.0.9 0.0.0.0 0.1.2.3 :: ::1 ::ffff:127.0.0.1 ::ffff:0:7f00:1",
    "a link-local address": "169.254.169.254 fe80::1 fe80::1%eth0 febf::1 ::ffff:169.254.169.254 64:ff9b::a9fe:a9fe",
    "an address of a private network": "10.0.0.1 172.16.0.1 172.31.255.255 192.168.1.1 100.64.0.1 100.127.255.254 "
    "fc00::1 fd12:3456::1 fec0::1 ::ffff:10.1.2.3 64:ff9b::a00:1 64:ff9b:1::1 2002:a00:1::1 2002:c0a8:101::",
    "a multicast address": "224.0.0.1 239.255.255.250 ff02::1 ff0e::1",
    "a reserved address": "192.0.0.1 192.0.2.1 198.18.0.1 198.51.100.1 203.0.113.1 240.0.0.1 255.255.255.255 "
    "::7f00:1 100::1 2001:db8::1 4000::1",
}
PUBLIC = (
    "1.1.1.1 9.9.9.9 100.63.255.255 100.128.0.1 172.15.0.1 172.32.0.1 192.167.1.1 169.253.1.1 2606:4700::1111 "
    "2a00:1450::1 ::ffff:9.9.9.9 64:ff9b::909:909 2002:909:909::1"
)


@pytest.mark.parametrize(("what", "addresses"), PRIVATE.items())
def test_a_private_address_is_called_what_it_is(what: str, addresses: str) -> None:
    assert {address: why_private(address) for address in addresses.split()} == dict.fromkeys(addresses.split(), what)


def test_public_addresses_are_public() -> None:
    assert {address: why_private(address) for address in PUBLIC.split()} == dict.fromkeys(PUBLIC.split(), "")


@pytest.mark.parametrize("client", ["127.0.0.1", "10.0.0.1", "169.254.169.254", "9.9.9.9"])
def test_teredo_is_never_public(client: str) -> None:
    """Its client's address stands in it, each bit the other way round."""
    bits = int.from_bytes(bytes(255 - int(part) for part in client.split(".")), "big")
    assert why_private(f"2001:0:909:909:0:0:{bits >> 16:x}:{bits & 0xFFFF:x}")


@pytest.mark.parametrize(
    "host", ["localhost", "LOCALHOST.", "a.localhost", "2130706433", "0x7f.1", "0177.0.0.1", "127.1", "0", "::1"]
)
def test_a_host_of_this_machine_is_known_in_every_notation(host: str) -> None:
    assert why_private_host(host) == "an address of this machine"


@pytest.mark.parametrize(
    "host", ["example.org", "localhost.example.org", "9.9.9.9", "", "a b", "ü", "\udcff", "9" * 99]
)
def test_names_are_not_looked_up(host: str) -> None:
    assert why_private_host(host) == ""


def test_what_may_be_reached_is_all_nothing_or_a_list() -> None:
    assert endpoints("127.0.0.1:80, [FD00::5]:8080") == [("127.0.0.1", 80), ("fd00::5", 8080)]
    for text in ("0", "1", "127.0.0.1:80", "127.0.0.1:80,[::1]:80"):
        assert load({"STORYWIRE_ALLOW_PRIVATE": text}).allow_private == text


@pytest.mark.parametrize(
    "text", ["2", "yes", "localhost:80", "127.0.0.1", "::1:80", "[::1]", "127.0.0.1:", ",", "[1.2.3.4]:8"]
)
def test_what_is_no_such_list_is_refused(text: str) -> None:
    with pytest.raises(BadSetting, match=r"STORYWIRE_ALLOW_PRIVATE=.*write 0, 1, or addresses like"):
        load({"STORYWIRE_ALLOW_PRIVATE": text})
