#!/opt/storywire/bin/python
"""Whether the process of this container works: exit status 0, or 1 for one that should be started afresh.

    alive [poll | pages | work | serve]      without a name, that of the command that the container began with

A server of the stories that is away is no fault of the process, which waits for it: that is told and is no 1, nor is a
queue that is long. Poller and worker give signs of life to the server, and are dead after 20 s without one.

Invariant: it only looks, and ends within 8 s.
"""

import os
import signal
import sys
from http.client import HTTPConnection, HTTPException
from pathlib import Path

import click

from worker.cli.check import findings
from worker.config import endpoints, load
from worker.names import this_host

PATIENCE_S = 8
ROLES = {"poll": "pollers", "work": "queue"}
"""The line of `storywire check` that tells of each, and in FIGURES the figure of it that counts the living."""
FIGURES = {"pollers": "pollers", "queue": "workers"}
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def role() -> str:
    """The command that process 1 runs, which may stand behind an init: `docker-init -- storywire poll`."""
    for name in Path("/proc/1/cmdline").read_bytes().decode(errors="replace").split("\0"):
        if name in (*ROLES, "pages", "serve", "up"):
            return name
    return ""


def of_signs(line: str) -> tuple[bool, str]:
    """Whether a process of this host has given a sign of life."""
    for finding in findings(load(os.environ), (line,), this_host()):
        alive = finding.figures.get(FIGURES.get(line, ""))
        return alive is None or bool(alive), finding.said
    return True, "nothing was said"


def of_site() -> tuple[bool, str]:
    """Whether the site answers at all: 503 says that the server of the stories is away."""
    [(host, port)] = endpoints(load(os.environ).listen)
    asked = HTTPConnection(ANYWHERE.get(host, host), port, timeout=PATIENCE_S / 2)
    try:
        asked.request("GET", "/healthz")
        return True, f"answered {asked.getresponse().status}"
    except (OSError, HTTPException) as error:
        return False, f"does not answer: {error}"
    finally:
        asked.close()


def main() -> int:
    """Say what was found in one line; the exit status."""
    signal.alarm(PATIENCE_S)
    name = sys.argv[1] if len(sys.argv) > 1 else role()
    if name == "serve":
        alive, said = of_site()
    elif name in ROLES:
        alive, said = of_signs(ROLES[name])
    else:
        alive, said = True, f"{name or 'this command'}: runs, and gives no sign of life of its own"
    click.echo(said)
    return int(not alive)


if __name__ == "__main__":
    sys.exit(main())
