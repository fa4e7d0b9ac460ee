#!/opt/storywire/bin/python
"""Whether the process of this container works: exit status 0, or 1 for one that should be started afresh.

    alive [poll | pages | work | serve]      without a name, that of the command that the container began with

A server of the stories that is away, or does not answer, is no fault of the process, which waits for it: that is told
and is no 1, nor is a long queue. Poller, page reader and worker give signs of life to the server, and are dead after
20 s without one.

Invariant: it only looks, and ends within 8 s.
"""

import os
import sys
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from threading import Timer

import click

from worker.cli.opening import must_run
from worker.config import endpoints, load
from worker.errors import StorywireError
from worker.names import parsed, this_host
from worker.runtime import Runtime, open_runtime

PATIENCE_S = 8
SIGNS: dict[str, Callable[[Runtime], Collection[str]]] = {
    "poll": lambda runtime: runtime.pollers.alive(),
    "pages": lambda runtime: runtime.readers.alive(),
    "work": lambda runtime: runtime.jobs.listening(),
}
"""Who has given a sign of life lately, by the command that they run."""
ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104


def role() -> str:
    """The command that process 1 runs, which may stand behind an init: `docker-init -- storywire poll`."""
    for name in Path("/proc/1/cmdline").read_bytes().decode(errors="replace").split("\0"):
        if name in (*SIGNS, "serve", "up"):
            return name
    return ""


def of_signs(name: str) -> tuple[bool, str]:
    """Whether a process of this host has given a sign of life."""
    settings = load(os.environ)
    try:
        must_run(settings)
        with open_runtime(settings) as runtime:
            here = sum(parsed(sign).host == this_host() for sign in SIGNS[name](runtime))
    except StorywireError as error:
        return True, f"waits: {error}"
    return here > 0, f"{here} of `storywire {name}` gave a sign of life on {this_host()}"


def of_site() -> tuple[bool, str]:
    """Whether the site answers for a file that takes no server: where one is away, /healthz may take long to say so."""
    [(host, port)] = endpoints(load(os.environ).listen)
    asked = HTTPConnection(ANYWHERE.get(host, host), port, timeout=PATIENCE_S / 2)
    try:
        asked.request("GET", "/static/style.css")
        return True, f"answered {asked.getresponse().status}"
    except (OSError, HTTPException) as error:
        return False, f"does not answer: {error}"
    finally:
        asked.close()


def run_out(name: str) -> None:
    """End this with what the lack of an answer means: a site's own fault, and for the others the server's."""
    alive = name != "serve"
    click.echo(f"{'waits' if alive else 'does not answer'}: no answer in {PATIENCE_S} s")
    os._exit(int(not alive))


@contextmanager
def patient(name: str) -> Iterator[None]:
    """Look for PATIENCE_S seconds at most: by a thread, as a signal would wait for a resolver that hangs."""
    timer = Timer(PATIENCE_S, run_out, [name])
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def looked(name: str) -> tuple[bool, str]:
    """Whether what runs this command works, and what was found."""
    if name == "serve":
        return of_site()
    if name in SIGNS:
        return of_signs(name)
    return True, f"{name or 'this command'}: runs, and gives no sign of life of its own"


def main() -> int:
    """Say what was found in one line; the exit status."""
    name = sys.argv[1] if len(sys.argv) > 1 else role()
    with patient(name):
        alive, said = looked(name)
    click.echo(said)
    return int(not alive)


if __name__ == "__main__":
    sys.exit(main())
