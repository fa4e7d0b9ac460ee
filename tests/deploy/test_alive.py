"""`alive`, the image's health check: it finds fault with a process that does not work, and with nothing else."""

import os
import signal
import socket
import subprocess
import sys
from contextlib import suppress

from tests.command import ROOT, environment, here, running
from tests.conftest import NewServer
from tests.deploy.tools import DEPLOY
from tests.servers import free_port
from tests.waiting import eventually

SOON = "import sys; sys.path.insert(0, sys.argv.pop(1)); import alive; alive.PATIENCE_S = 1; sys.exit(alive.main())"
"""The same check with a second for eight."""


def alive(role: str, *program: str, **settings: object) -> tuple[int, str]:
    """Its exit status, and what it says; `program`: what Python is to run in place of it."""
    done = subprocess.run(
        [sys.executable, *(program or (str(DEPLOY / "docker" / "alive.py"),)), role],
        env=environment(settings) | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert "Traceback" not in done.stderr, done.stderr
    return done.returncode, done.stdout


def test_worker_is_told_by_its_own_signs_and_not_by_the_server_or_the_queue(new_server: NewServer) -> None:
    server = new_server("valkey")
    url = server.url(0)
    status, said = alive("work", redis_url=url)
    assert status == 1 and "0 of `storywire work`" in said, "none has ever begun"
    with running("work", redis_url=url):
        eventually(
            lambda: here("check", "--only", "queue", redis_url=url).returncode == 0, 30, "a worker's sign of life"
        )
        assert alive("work", redis_url=url)[0] == 0
        server.stop()
        status, said = alive("work", redis_url=url)
        assert status == 0 and "waits: the server" in said, "a worker is not started anew because the server is away"


def test_site_is_well_while_it_answers_whatever_it_says_of_the_server(new_server: NewServer) -> None:
    server, place = new_server("valkey"), f"127.0.0.1:{free_port()}"
    settings = {"redis_url": server.url(0), "listen": place}
    with running("serve", **settings) as process:
        eventually(lambda: listens(place), 30, "the site listens")
        assert alive("serve", **settings) == (0, "answered 200\n")
        server.pause()
        assert alive("serve", **settings) == (0, "answered 200\n"), "it waits for a server that never answers"
        server.resume()
        server.stop()
        assert alive("serve", **settings) == (0, "answered 200\n")
        os.kill(process.pid, signal.SIGSTOP)
        status, said = alive("serve", **settings)
        assert status == 1 and "does not answer" in said


def test_none_is_started_anew_because_the_server_takes_connections_and_never_answers() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"redis://127.0.0.1:{silent.getsockname()[1]}/0"
        said = alive("poll", "-c", SOON, str(DEPLOY / "docker"), redis_url=url)
    assert said == (0, "waits: no answer in 1 s\n")


def listens(place: str) -> bool:
    """Whether anybody does at this place."""
    host, _, port = place.rpartition(":")
    with suppress(OSError), socket.create_connection((host, int(port)), timeout=5):
        return True
    return False
