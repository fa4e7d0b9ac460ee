"""Where a process tells its metrics, as STORYWIRE_METRICS says.

Invariant: others than this machine are told only with the token of the site.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from worker.config import Settings
    from worker.metrics import Metrics


@contextmanager
def measured(process: str, settings: "Settings") -> Iterator["Metrics"]:
    """The metrics of this process, told at STORYWIRE_METRICS while the block lasts.

    Raises BadSetting where others reach that and there is no token, Permanent where it cannot be listened at.
    """
    from worker.config import endpoints
    from worker.errors import BadSetting
    from worker.metrics import Metrics, exposed
    from worker.web.safety import is_loopback, read_token

    if not settings.metrics:
        yield Metrics(process)
        return
    [place] = endpoints(settings.metrics)
    token = "" if is_loopback(place[0]) else read_token(settings)
    if not token and not is_loopback(place[0]):
        raise BadSetting(
            f"STORYWIRE_METRICS={settings.metrics}: others than this machine reach it, which takes a token: set "
            "STORYWIRE_TOKEN, or STORYWIRE_TOKEN_FILE, to what `openssl rand -hex 24` prints"
        )
    with exposed(Metrics(process), place, token) as metrics:
        yield metrics
