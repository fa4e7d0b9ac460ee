"""The whole of docs/deploy/systemd.md, word for word, on a Debian that is booted: from an empty machine to stories.

Slow, so part of `make soak`, and not in CI: each Debian is made anew, in about four minutes.
"""

import os
import re
from collections.abc import Sequence

import pytest

from tests.deploy.machine import Machine, booted
from tests.deploy.page import commands
from tests.deploy.units import SERVICES
from tests.waiting import eventually

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("CI" in os.environ, reason="made for `make soak`: a Debian of its own takes minutes"),
]
OURS = (*SERVICES, "storywire-web.socket", "storywire.target", "redis-server.service")
SITE = """
cat > /etc/systemd/system/site.service <<'END'
[Service]
WorkingDirectory=/root/site
ExecStart=python3 -m http.server 9000 --bind 127.0.0.1
[Install]
WantedBy=multi-user.target
END
systemctl enable --now site
printf 'STORYWIRE_ALLOW_PRIVATE=1\nSTORYWIRE_GATE_SPACING=0s\nSTORYWIRE_PAGES=off\n' >> /etc/storywire/storywire.env
printf 'STORYWIRE_POLL_MIN=1s\nSTORYWIRE_POLL_MAX=2s\nSTORYWIRE_POLL_INTERVAL=1s\n' >> /etc/storywire/storywire.env
systemctl restart 'storywire-*.service'
storywire feeds add http://127.0.0.1:9000/feed.xml
"""
QUICK = "/run/systemd/system/{}.d/quick.conf"
WATCHED_S = 20
"""WatchdogSec= of this test: longer than a worker waits for a job, 5 s, and shorter than the units' minutes."""


@pytest.mark.parametrize(("suite", "python"), [("bookworm", "3.11"), ("trixie", "3.13")])
def test_the_page_leads_from_an_empty_machine_to_stories_that_outlive_all_its_steps(suite: str, python: str) -> None:
    with booted(suite, python) as machine:
        _install(machine)
        _write(machine, range(1, 7))
        machine.run(SITE)
        _has(machine, 6)
        _is_watched(machine)
        _is_started_again(machine)
        _refuses_nobody(machine)
        _stops_without_loss(machine)
        _is_watched_as_the_page_says(machine)
        machine.run(commands("systemd", "Upgrade")[0], 600)
        assert "/opt/storywire-0.2.0/" in machine.run("systemctl status 'storywire-*' --no-pager")
        _all_run(machine)
        machine.reboot()
        _all_run(machine)
        _has(machine, 12)
        _comes_back_from_a_copy(machine)


def _install(machine: Machine) -> None:
    for block in commands("systemd", "Install")[:4]:
        machine.run(block, 600)
    _all_run(machine)
    backoff = machine.run("systemctl show -p RestartSteps --value storywire-poller").strip()
    assert backoff in ("", "6"), "as its version of systemd can"


def _all_run(machine: Machine) -> None:
    states = machine.tried(f"systemctl is-active {' '.join(OURS)}").split()
    assert states == ["active"] * len(OURS), machine.tried("systemctl status --no-pager 'storywire*'")


def _write(machine: Machine, numbers: Sequence[int]) -> None:
    """A feed with these articles, all of one story."""
    items = "".join(
        f"<item><guid>{n}</guid><title>Bridge {n} of the harbour of Town{n} closed</title>"
        f"<link>http://127.0.0.1:9000/{n}</link><description>Engineers found {n} cracks in pillar {n} of the bridge "
        f"of Town{n} on Monday; ferries carry its commuters while it is repaired.</description></item>"
        for n in numbers
    )
    feed = f'<rss version="2.0"><channel><title>Courier</title><language>en</language>{items}</channel></rss>'
    place = "/root/site/feed.xml"
    machine.run(f"mkdir -p /root/site; cat > {place}.new <<'END'\n{feed}\nEND\nmv {place}.new {place}")


def _has(machine: Machine, articles: int) -> None:
    def said() -> str:
        return machine.tried("storywire check --only stories,queue,outbox")

    eventually(lambda: f" of {articles} articles " in said(), 60, lambda: f"{articles} articles:\n{said()}")


def _is_watched(machine: Machine) -> None:
    """A loop that hangs is ended with its stacks in the journal, and started again."""
    watched = ("storywire-poller.service", "storywire-worker@1.service", "storywire-web.service")
    for name in watched:
        quick = QUICK.format(name)
        machine.run(f"mkdir -p {quick.rpartition('/')[0]}; printf '[Service]\nWatchdogSec={WATCHED_S}\n' > {quick}")
    machine.run(f"systemctl daemon-reload; systemctl restart {' '.join(watched)}")
    before = {name: _process(machine, name) for name in watched}
    for name in watched:
        machine.run(f"kill -STOP {before[name]}")
    for name in watched:
        _is_another(machine, name, before[name], WATCHED_S + 60)
        told = machine.run(f"journalctl -u {name} -o cat --since -5min")
        assert "Failed with result 'watchdog'" in told and "most recent call first" in told, told[-3000:]
    machine.run(f"rm -r {' '.join(QUICK.format(name) for name in watched)}; systemctl daemon-reload")
    machine.run(f"systemctl restart {' '.join(watched)}")


def _process(machine: Machine, name: str) -> int:
    return int(machine.run(f"systemctl show -p MainPID --value {name}"))


def _is_another(machine: Machine, name: str, before: int, within_s: float) -> None:
    eventually(
        lambda: _process(machine, name) not in (0, before) and _state(machine, name) == "active",
        within_s,
        lambda: machine.tried(f"systemctl status --no-pager {name}"),
    )


def _state(machine: Machine, name: str) -> str:
    return machine.tried(f"systemctl is-active {name}").strip()


def _is_started_again(machine: Machine) -> None:
    name = "storywire-poller.service"
    before = _process(machine, name)
    machine.run(f"kill -KILL {before}")
    _is_another(machine, name, before, 60)


def _refuses_nobody(machine: Machine) -> None:
    """The socket is systemd's: who asks while the page is started again waits, and starts it where it was stopped."""
    ask = "curl -sS -m 60 -o /dev/null -w '%{http_code}\n' http://127.0.0.1:8080/healthz"
    asked = f"for i in $(seq 40); do {ask} || echo refused; done > /tmp/asked & systemctl restart storywire-web; wait"
    assert set(machine.run(f"{asked}; cat /tmp/asked").split()) == {"200"}
    machine.run("systemctl stop storywire-web.service")
    assert machine.run(ask).strip() == "200"


def _stops_without_loss(machine: Machine) -> None:
    """In order and within the limits, while articles are on their way."""
    _write(machine, range(1, 13))
    machine.run("systemctl stop 'storywire*'")
    assert machine.tried("systemctl is-active storywire.target storywire-web.socket").split() == ["inactive"] * 2
    results = machine.run(f"systemctl show -p Result --value {' '.join(SERVICES)}").split()
    assert results == ["success"] * len(SERVICES)
    machine.run("systemctl start storywire.target")
    _has(machine, 12)


def _is_watched_as_the_page_says(machine: Machine) -> None:
    [block] = commands("systemd", "What to watch")
    for line in block.strip().replace(" -f ", " ").replace("journalctl", "journalctl --no-pager").splitlines():
        assert machine.run(line.replace("systemctl", "systemctl --no-pager").partition("  #")[0]) or "jq" in line


def _comes_back_from_a_copy(machine: Machine) -> None:
    copied, restored = commands("systemd", "Back up and restore")
    machine.run(re.sub("(tar .* appendonlydir)", r"\1 || [ $? = 1 ]", copied))  # the file grew: as the page says
    _write(machine, range(1, 15))
    _has(machine, 14)
    _write(machine, [])
    machine.run(restored.replace("2026-01-05", "$(date +%F)"))
    _all_run(machine)
    _has(machine, 12)
    _write(machine, range(1, 15))
    _has(machine, 14)
