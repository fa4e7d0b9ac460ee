"""The processes that live: who is where, of which version, what each does now; and whether they fit together.

Invariant: figures in, findings out.
"""

from collections import Counter
from collections.abc import Sequence

from msgspec import Struct

from worker.health.finding import Finding, State, count

_NAMED = 3
"""Old processes that the line names; the table has all."""


class Process(Struct, frozen=True, kw_only=True):
    """A process that lives. version: "" where it does not say, as those before this one did not; schema: of the store
    that it uses; started, since: seconds since 1970 by its own clock, 0 where it does not say; heard_s: how long ago it
    was heard of, by the server's; held: why it does nothing now, "" where it works; doing: in words; queue: a worker's.
    """

    role: str
    host: str
    pid: int
    version: str = ""
    schema: int = 0
    started: float = 0.0
    heard_s: float = 0.0
    held: str = ""
    since: float = 0.0
    doing: str = ""
    queue: str = ""


def of_processes(processes: Sequence[Process], version: str, schema: int) -> Finding:
    """The processes of all hosts: how many there are, and which are not of this version, which `version` and `schema`
    say."""
    hosts = {each.host for each in processes}
    roles = Counter(each.role for each in processes)
    others = [each for each in processes if (each.version, each.schema) != (version, schema)]
    figures = {
        "hosts": len(hosts),
        "processes": dict(sorted(roles.items())),
        "other_versions": sorted({each.version or "?" for each in others}),
    }
    said = f"{count(len(processes), 'process', 'processes')} on {count(len(hosts), 'host', 'hosts')}"
    if not processes:
        return Finding("processes", State.WARN, f"{said}: start `storywire up`, or each part by itself", figures)
    if not others:
        return Finding("processes", State.OK, f"{said}, all of version {version}", figures)
    named = ", ".join(f"{each.role} {each.pid} on {each.host}" for each in others[:_NAMED])
    more = f" and {len(others) - _NAMED:,} more" if len(others) > _NAMED else ""
    are = count(len(others), "is", "are")
    said += f", {are} not of this version ({version}): {named}{more}: upgrade there too, or here"
    return Finding("processes", State.WARN, said, figures)
