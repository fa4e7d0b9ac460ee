"""`python -m worker` is the `storywire` command."""

import os

from worker.cli import main


def _end_with_parent(lifeline: int) -> None:
    """End when the process that started this one is gone: it holds the other end of this pipe, and never writes."""
    import signal  # noqa: PLC0415 - only for a child of worker.supervisor
    import threading  # noqa: PLC0415
    import time  # noqa: PLC0415

    def wait() -> None:
        os.read(lifeline, 1)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(15)  # a batch in hand is finished
        os._exit(1)

    threading.Thread(target=wait, name="lifeline", daemon=True).start()


if __name__ == "__main__":
    if lifeline := os.environ.get("STORYWIRE_LIFELINE"):
        _end_with_parent(int(lifeline))
    main()
