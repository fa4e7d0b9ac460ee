"""`storywire alerts`: the rules by which others are told of stories, and what became of what was told."""

import asyncio
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from worker.cli.opening import DATA_DIR, must_run, opened
from worker.errors import BadSetting, Permanent
from worker.report.words import count

if TYPE_CHECKING:
    from collections.abc import Iterator

    from worker.alerts.deliver import Sent
    from worker.alerts.rules import Rule, Rules
    from worker.runtime import Runtime
    from worker.store.alerts import Delivery

_SHOWN = 5
_FILE = click.Path(path_type=Path, dir_okay=False)


@click.group("alerts", epilog="Example: storywire alerts check rules.toml")
@click.option("--data-dir", metavar="DIR", help="Data directory of the embedded server.  [STORYWIRE_DATA_DIR]")
@click.pass_context
def command(context: click.Context, data_dir: str | None) -> None:
    """Tell others of stories: check the rules, send a test, list what waits and what nobody took.

    The rules stand in one file, which STORYWIRE_ALERTS names to `storywire serve`; docs/alerts.md says how they are
    written.
    """
    context.obj = data_dir


@command.command("check", epilog="Example: storywire alerts check rules.toml")
@click.argument("file", type=_FILE, required=False)
@DATA_DIR
def check(file: Path | None, data_dir: str | None) -> None:
    """Say whether a file of rules can be used and, where a server runs, which present stories each would tell of.

    Stories that were begun before a rule is in use are shown here, though nobody will be told of them.
    """
    from worker.alerts.file import read
    from worker.report.harmless import harmless

    path = _path(file)
    rules = read(path, os.environ)
    _services(rules, path)
    click.echo(f"{path}: {count(len(rules.rules), 'rule')}, {count(len(rules.targets), 'target')}")
    found = _present(rules, data_dir)
    for rule in rules.rules:
        click.echo(
            f"{rule.name} -> {', '.join(rule.to)}" + ("" if found is None else f": {_stories(found[rule.name])}")
        )
        for story, headline, why in [] if found is None else found[rule.name][:_SHOWN]:
            click.echo(f"  {story}  {harmless(headline)}  ({why})")
    if found is None:
        click.echo("no server runs: which stories these would tell of is not shown", err=True)


@command.command("test", epilog="Example: storywire alerts test flood --file rules.toml")
@click.argument("rule")
@click.option("--file", type=_FILE, help="The file of rules.  [STORYWIRE_ALERTS]")
def test(rule: str, file: Path | None) -> None:
    """Send one alert, marked as a test, to all targets of a rule; about a story that is made up."""
    from worker.alerts.file import read
    from worker.report.harmless import harmless

    path = _path(file)
    rules = read(path, os.environ)
    chosen = rules.get(rule)
    if chosen is None:
        names = ", ".join(each.name for each in rules.rules[:_SHOWN])
        raise BadSetting(f"{path}: has no rule {rule!r}: it has {names}")
    failed = False
    for name, sent in asyncio.run(_sent(rules, chosen)):
        failed |= bool(sent.trouble)
        click.echo(f"{name}: {harmless(sent.trouble) or 'taken'}")
    sys.exit(int(failed))


@command.command("list", epilog="Example: storywire alerts list")
@DATA_DIR
def list_(data_dir: str | None) -> None:
    """List the alerts that wait to be delivered, and those that nobody took within a day."""
    with opened(data_dir) as runtime:
        alerts, now = runtime.alerts, runtime.clock.now()
        waiting, dead, lost = alerts.waiting(), alerts.dead(), alerts.lost().dead
    for delivery, due in waiting:
        click.echo(
            _line("waits", delivery, f"tried {count(delivery.attempts, 'time')}, again in {max(0, due - now):.0f} s")
        )
    for delivery in dead:
        click.echo(_line("dead", delivery, f"tried {count(delivery.attempts, 'time')}"))
    if lost:
        click.echo(f"{count(lost, 'older alert')} that nobody took: the list has no room", err=True)
    if not waiting and not dead:
        click.echo("no alert waits, and each was taken", err=True)


@command.command("drop", epilog="Example: storywire alerts drop")
@DATA_DIR
def drop(data_dir: str | None) -> None:
    """Forget the alerts that nobody took, and that `storywire check` says some may be missing."""
    with opened(data_dir) as runtime:
        click.echo(f"dropped: {count(runtime.alerts.drop_dead(), 'alert')}")


def _path(file: Path | None) -> Path:
    named = file or os.environ.get("STORYWIRE_ALERTS", "")
    if not named:
        raise BadSetting("no file of rules: name one, or set STORYWIRE_ALERTS")
    return Path(named).expanduser()


def _services(rules: "Rules", path: Path) -> None:
    """Raises BadSetting for an address that Apprise does not know; which it is, its secrets aside."""
    from worker.alerts.lines import lines_of
    from worker.alerts.rules import Service

    services = [(name, each) for name, parts in rules.targets.items() for each in parts if isinstance(each, Service)]
    if not services:
        return
    import logging

    import apprise

    logging.getLogger("apprise").setLevel(logging.CRITICAL + 1)  # its complaints hold the address
    for name, each in services:
        if apprise.Apprise.instantiate(each.address) is None:
            kind = each.address.partition(":")[0]
            line = lines_of(path.read_text()).get(("to", name, "apprise"))
            where = f"line {line}: " if line else ""
            raise BadSetting(
                f"{path}: {where}target {name!r}: Apprise knows no such address, {kind}://...: see docs/alerts.md"
            )


def _present(rules: "Rules", data_dir: str | None) -> "dict[str, list[tuple[str, str, str]]] | None":
    """Rule -> the present stories that it would tell of, as id, headline and why; None where no server runs."""
    from worker.config import load

    try:
        must_run(load(os.environ, data_dir=data_dir))
    except Permanent:
        return None
    with opened(data_dir) as runtime:
        found: dict[str, list[tuple[str, str, str]]] = {rule.name: [] for rule in rules.rules}
        for name, story, headline, why in _met(runtime, rules):
            found[name].append((story, headline, why))
    return found


def _met(runtime: "Runtime", rules: "Rules") -> "Iterator[tuple[str, str, str, str]]":
    from itertools import groupby

    from worker.alerts.match import why
    from worker.model import story_id

    for (lang, number), group in groupby(runtime.stories.everything(), key=lambda each: each[:2]):
        members = sorted((member for _, _, member in group), key=lambda member: (member.time, member.seq))
        for rule in rules.rules:
            if said := why(rule, lang, members):
                yield rule.name, story_id(lang, number), members[0].title, said


async def _sent(rules: "Rules", rule: "Rule") -> "list[tuple[str, Sent]]":
    """What came of a test to each target."""
    from uuid import uuid4

    from worker.alerts.deliver import Sender
    from worker.alerts.message import made_up
    from worker.clock import SystemClock
    from worker.config import load

    settings, now, sent = load(os.environ), SystemClock().now(), []
    async with Sender(settings) as sender:
        for name in dict.fromkeys(rule.to):
            for target in rules.targets[name]:
                message = made_up(
                    f"test-{uuid4().hex}", rule.name, settings.public_url or f"http://{settings.listen}", now
                )
                sent.append((name, await sender.send(target, message, now)))
    return sent


def _stories(found: list[tuple[str, str, str]]) -> str:
    more = f", {len(found) - _SHOWN} of them not shown" if len(found) > _SHOWN else ""
    return f"{count(len(found), 'present story', 'present stories')}{more}"


def _line(state: str, delivery: "Delivery", said: str) -> str:
    from worker.report.harmless import harmless

    trouble = f": {harmless(delivery.trouble)}" if delivery.trouble else ""
    return f"{state:<5}  {delivery.rule}  {delivery.story} -> {delivery.to}  {said}{trouble}"
