"""The grammar of addresses: what each shape says, what is refused before it is used, and that no password shows."""

import pytest

from worker.connect import check_url, connect, connect_plain, server_name
from worker.connect.several import Several, place_name, several
from worker.errors import BadSetting

SENTINELS = "redis+sentinel://a:1,b/news"


def taken(url: str) -> Several:
    found = several(check_url(url))
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("url", "kind", "hosts", "service", "one"),
    [
        ("redis+sentinel://a/news", "sentinel", [("a", 26379)], "news", "redis://a:26379"),
        ("redis+sentinel://a:1,b/news/3", "sentinel", [("a", 1), ("b", 26379)], "news", "redis://a:1/3"),
        ("redis+sentinel://a/news/?db=4", "sentinel", [("a", 26379)], "news", "redis://a:26379?db=4"),
        ("rediss+sentinel://10.0.0.1:7/my.news-1_x", "sentinel", [("10.0.0.1", 7)], "my.news-1_x", "rediss://10.0.0.1:7"),
        ("redis+sentinel://[::1]:7,[fe80::2]/s", "sentinel", [("::1", 7), ("fe80::2", 26379)], "s", "redis://[::1]:7"),
        ("redis+sentinel://me:w,o%2Frd@a/s/0", "sentinel", [("a", 26379)], "s", "redis://me:w,o%2Frd@a:26379/0"),
        ("redis+cluster://a,b:7000/", "cluster", [("a", 6379), ("b", 7000)], "", "redis://a:6379"),
        ("rediss+cluster://:p%40ss@a?socket_timeout=2", "cluster", [("a", 6379)], "", "rediss://:p%40ss@a:6379?socket_timeout=2"),
    ],
)  # fmt: skip
def test_an_address_of_several_servers_says(
    url: str, kind: str, hosts: list[tuple[str, int]], service: str, one: str
) -> None:
    """Kind, hosts with their ports, the service, and what redis-py is given: the first host with everything else."""
    found = taken(url)
    assert (found.kind, found.hosts, found.service, found.one) == (kind, tuple(hosts), service, one)


@pytest.mark.parametrize("url", ["redis://a", "rediss://a", "unix:///s", "redis+other://a", "sentinel://a", ""])
def test_other_addresses_are_none_of_several_servers(url: str) -> None:
    assert several(url) is None


def test_the_sentinels_options_are_for_them_alone() -> None:
    """Their user and password differ from the servers', and stay out of what a server is given."""
    found = taken("redis+sentinel://me:a@h/s?sentinel_username=u%26&sentinel_password=p%23&socket_timeout=3&db=1")
    assert found.sentinel == {"sentinel_username": "u&", "sentinel_password": "p#"}
    assert found.one == "redis://me:a@h:26379?socket_timeout=3&db=1"


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis+sentinel://a:1", "needs the name of a service"),
        ("redis+sentinel://a:1/", "needs the name of a service"),
        ("redis+sentinel://a:1//0", "needs the name of a service"),
        ("redis+sentinel://a:1/ne ws", "needs the name of a service"),
        ("redis+sentinel://a:1/news/zero", "a database that is no number"),
        ("redis+sentinel://a:1/news/0/1", "a database that is no number"),
        ("redis+sentinel://a:1/news?db=one", "is no address"),
        ("redis+sentinel:///news", "a host that is none"),
        ("redis+sentinel://a,/news", "a host that is none"),
        ("redis+sentinel://,a/news", "a host that is none"),
        ("redis+sentinel://a:1:2/news", "a host that is none"),
        ("redis+sentinel://::1/news", "a host that is none"),
        ("redis+sentinel://[::1/news", "a host that is none"),
        ("redis+sentinel://a;b/news", "a host that is none"),
        ("redis+sentinel://a%2eb/news", "a host that is none"),
        ("redis+sentinel://ä/news", "a host that is none"),
        ("redis+sentinel://a:0/news", "a port that is none"),
        ("redis+sentinel://a:65536/news", "a port that is none"),
        (f"redis+sentinel://{','.join('a' * 65)}/news", "more than 64 hosts"),
        ("redis+sentinel://me:x@y@a/news", "one of / # @ in it"),
        ("redis+sentinel://me:x@a,me:x@b/news", "one of / # @ in it"),
        ("redis+sentinel://me:x/y@a/news", "one of / # @ in it"),
        ("redis+sentinel://a/news?sentinel_pass=x", "unknown option, 'sentinel_pass'"),
        ("redis+sentinel://a/news?decode_responses=1", "unknown option, 'decode_responses'"),
        ("redis+sentinel://a/news?ssl_ca_certs=/x", "speaks no TLS"),
        ("redis+sentinel://a/new\ns", "is no address"),
        ("redis+cluster://a/0", "which a Cluster has not"),
        ("redis+cluster://a?db=1", "which a Cluster has not"),
        ("redis+cluster://", "a host that is none"),
        ("redis+cluster://a?sentinel_password=x", "unknown option, 'sentinel_password'"),
        ("redis://a,b/0", "names several servers"),
        ("redis://a:1,b:2/0", "is no address"),
        ("redis://a/0?ssl_ca_certs=/x", "speaks no TLS"),
        ("rediss://a/0?ssl_validate_ocsp=1", "unknown option, 'ssl_validate_ocsp'"),
        ("rediss://a/0?ssl_certfile=/x", "ssl_certfile and ssl_keyfile, or neither"),
        ("rediss://a/0?ssl_cert_reqs=maybe", "none of none, optional, required"),
        ("rediss://a/0?ssl_ca_certs=/nowhere", "ssl_ca_certs: No such file"),
        ("rediss+sentinel://a/news?ssl_certfile=/nowhere&ssl_keyfile=/nowhere", "ssl_keyfile: No such file"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_sent(url: str, said: str) -> None:
    """By either client, in one line that names the setting and what is wrong."""
    for make in (connect, connect_plain):
        with pytest.raises(BadSetting) as caught:
            make(url, "STORYWIRE_QUEUE_URL")
        line = str(caught.value)
        assert line.startswith("STORYWIRE_QUEUE_URL: "), line
        assert said in line
        assert "\n" not in line


MARKS = [*"@:/?#[]%&=+,;!$'()* \\", "%40", "%zz", "@?", "?/", "/@", "//", "@,@", "://", "ä", "\u2028", "\t"]


@pytest.mark.parametrize("mark", MARKS)
@pytest.mark.parametrize("scheme", ["redis", "redis+sentinel", "rediss+sentinel", "redis+cluster", "nonsense"])
def test_no_password_is_shown_however_it_is_written(mark: str, scheme: str) -> None:
    """Written as it is, without the %40 that it would need, before the hosts or in an option."""
    password = f"hunter2{mark}hunter2"
    for url in (
        f"{scheme}://me:{password}@a:1,b:2/news",
        f"{scheme}://a:1,b:2/news?sentinel_password={password}",
        f"{scheme}://a:1,b:2/news?password={password}&x=@",
    ):
        assert "hunter2" not in server_name(url)
        try:
            found = several(check_url(url))
        except BadSetting as error:
            assert "hunter2" not in str(error)
        else:
            assert "hunter2" not in repr(found)


def test_many_hosts_are_named_by_the_first() -> None:
    """A line stays a line."""
    hosts = [f"redis-{number}.example.org:26379" for number in range(50)]
    url = f"redis+sentinel://me:hunter2@{','.join(hosts)}/news/0?db=0"
    assert len(taken(url).hosts) == 50
    assert server_name(url) == "redis+sentinel://redis-0.example.org:26379,.../news/0"
    assert server_name(SENTINELS) == SENTINELS


def test_a_place_is_written_as_an_address_has_it() -> None:
    assert [place_name(each) for each in (("a", 1), ("::1", 2))] == ["a:1", "[::1]:2"]


def test_rq_needs_a_server_of_its_own_beside_a_cluster() -> None:
    with pytest.raises(BadSetting, match="RQ needs a server of its own: give STORYWIRE_QUEUE_URL"):
        connect_plain("redis+cluster://a,b")
