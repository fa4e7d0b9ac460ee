"""deploy/prometheus and deploy/grafana: what they ask for is there, what they say can be done, promtool is content."""

import re
from pathlib import Path
from typing import Any

import pytest
from msgspec import json, yaml

from tests.promtool import promtool
from worker.cli import COMMANDS
from worker.metrics import METRICS, Kind
from worker.metrics.table import PROCESS

ROOT = Path(__file__).parents[2]
PROMETHEUS, GRAFANA = ROOT / "deploy" / "prometheus", ROOT / "deploy" / "grafana"
SAMPLES = {
    f"{each.name}{part}": each
    for each in METRICS
    for part in (("_bucket", "_sum", "_count") if each.kind is Kind.HISTOGRAM else ("",))
}
_NAME = re.compile(r"\bstorywire_\w+")
_SELECTOR = re.compile(r"\b(storywire_\w+)\{([^}]*)\}")


def _rules() -> list[dict[str, Any]]:
    [group] = yaml.decode((PROMETHEUS / "alerts.yml").read_bytes())["groups"]
    rules: list[dict[str, Any]] = group["rules"]
    return rules


def _panels() -> list[dict[str, Any]]:
    board = json.decode((GRAFANA / "dashboards" / "storywire.json").read_bytes())
    return [panel for panel in board["panels"] if panel["type"] != "row"]


def _dashboard() -> dict[str, str]:
    """The expressions of the dashboard, by panel and letter, with a span in place of Grafana's own variable."""
    return {
        f"{panel['title']}: {target['refId']}": target["expr"].replace("$__rate_interval", "1m")
        for panel in _panels()
        for target in panel["targets"]
    }


EXPRESSIONS = {**{f"alert {rule['alert']}": rule["expr"] for rule in _rules()}, **_dashboard()}


@pytest.mark.parametrize("where", EXPRESSIONS)
def test_every_expression_asks_for_metrics_of_the_table_by_labels_that_they_have(where: str) -> None:
    """A metric that is renamed would leave a graph empty, and an alert silent, for ever."""
    expression = EXPRESSIONS[where]
    asked = set(_NAME.findall(expression)) - set(PROCESS)
    assert asked | (set(_NAME.findall(expression)) & set(PROCESS)) or "up{" in expression
    assert asked - set(SAMPLES) == set()
    for name, selector in _SELECTOR.findall(expression):
        labels = set(re.findall(r"(\w+)\s*(?:=~|!~|!=|=)", selector))
        assert labels <= {*SAMPLES[name].labels, "le", "job", "instance"}, f"{name} has no such label"
    for by in re.findall(r"\bby \(([^)]*)\)", expression):
        had = {label for name in asked for label in SAMPLES[name].labels} | {"le", "process"}
        assert set(re.split(r",\s*", by)) <= had


def test_every_metric_is_on_the_dashboard_or_says_why_it_is_not() -> None:
    """What nobody looks at need not be counted."""
    shown = set(_NAME.findall(" ".join(EXPRESSIONS.values())))
    unseen = [each.name for each in METRICS if not shown & {name for name, of in SAMPLES.items() if of is each}]
    assert unseen == []


@pytest.mark.parametrize("rule", _rules(), ids=lambda rule: rule["alert"])
def test_every_alert_says_what_is_wrong_and_what_to_run(rule: dict[str, Any]) -> None:
    """A remedy names a command that there is, or what the log says; the tests of the rules fire it."""
    summary, remedy = rule["annotations"]["summary"], rule["annotations"]["remedy"]
    assert len(summary) > 20
    commands = re.findall(r"`storywire (\w+)", remedy)
    assert set(commands) <= set(COMMANDS)
    assert commands or "log" in remedy
    assert rule["labels"]["severity"] in ("page", "ticket")
    assert rule["for"]
    assert rule["alert"] in (PROMETHEUS / "alerts_test.yml").read_text(encoding="utf-8"), "tested nowhere"


def test_promtool_finds_the_rules_to_do_what_they_say() -> None:
    """Each fires where it should, none where all is well; the example of a configuration is one."""
    promtool("check", "config", PROMETHEUS / "prometheus.yml")
    promtool("test", "rules", PROMETHEUS / "alerts_test.yml")


def test_promtool_can_read_what_the_dashboard_asks(tmp_path: Path) -> None:
    """As recording rules, which is the form in which it reads expressions."""
    rules = [
        {"record": f"panel:{number}", "expr": expression} for number, expression in enumerate(_dashboard().values())
    ]
    (tmp_path / "rules.yml").write_bytes(yaml.encode({"groups": [{"name": "dashboard", "rules": rules}]}))
    promtool("check", "rules", tmp_path / "rules.yml")
    assert len(rules) > 30


def test_the_dashboard_is_laid_out_without_overlap() -> None:
    """Panels have numbers of their own, and places of their own in a grid of 24."""
    places: set[tuple[int, int]] = set()
    panels = json.decode((GRAFANA / "dashboards" / "storywire.json").read_bytes())["panels"]
    for panel in panels:
        grid = panel["gridPos"]
        assert 0 <= grid["x"] <= 24 - grid["w"]
        cells = {
            (x, y)
            for x in range(grid["x"], grid["x"] + grid["w"])
            for y in range(grid["y"], grid["y"] + grid["h"])
        }  # fmt: skip
        assert not cells & places, panel["title"]
        places |= cells
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert [panel["title"] for panel in panels if panel["type"] == "row"] == [
        "Are stories coming?", "Feeds", "Pipeline", "Server and site"
    ]  # fmt: skip


def test_grafana_finds_the_dashboard_and_prometheus() -> None:
    """Provisioning names a data source of the kind that the dashboard lets one choose."""
    [source] = yaml.decode((GRAFANA / "provisioning" / "datasources" / "storywire.yml").read_bytes())["datasources"]
    [provider] = yaml.decode((GRAFANA / "provisioning" / "dashboards" / "storywire.yml").read_bytes())["providers"]
    assert (source["type"], provider["type"]) == ("prometheus", "file")
    assert provider["options"]["path"].endswith("dashboards")
    assert {panel["datasource"]["uid"] for panel in _panels()} == {"${datasource}"}
