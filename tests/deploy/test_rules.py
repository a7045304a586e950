"""The rules beside what they speak of: each alert is told, tried, and asks for metrics there are.

What `promtool` says of them is tried in ``tests/live/test_prometheus.py``.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.control.exposed import every_family
from tests.support.process import REPOSITORY

RULES = REPOSITORY / "deploy" / "prometheus"
OPERATOR = REPOSITORY / "deploy" / "kubernetes" / "components" / "alerts" / "prometheusrule.yaml"
DASHBOARD = REPOSITORY / "deploy" / "grafana" / "token-sidecar.json"
OPERATIONS = (REPOSITORY / "docs" / "operations.md").read_text()
METRICS = (REPOSITORY / "docs" / "metrics.md").read_text()
NAME = re.compile(r"(?:instance(?:_\w+)?:)?token_sidecar_\w+(?::\w+)*|process_\w+")
SEVERITIES = {"critical", "warning", "info"}


def groups(name: str) -> list[dict[str, Any]]:
    return yaml.safe_load((RULES / f"{name}.rules.yml").read_text())["groups"]


ALERTS = [rule for group in groups("alerts") for rule in group["rules"]]
RECORDED = [rule for group in groups("recording") for rule in group["rules"]]


def panels() -> Iterator[dict[str, Any]]:
    yield from (
        panel for panel in json.loads(DASHBOARD.read_text())["panels"] if "targets" in panel
    )


def asked_for() -> Iterator[str]:
    """Every expression that is evaluated somewhere."""
    yield from (rule["expr"] for rule in ALERTS + RECORDED)
    yield from (target["expr"] for panel in panels() for target in panel["targets"])


def sections() -> dict[str, str]:
    """Alert → what the page says under its name."""
    parts = re.split(r"^### (\w+)$", OPERATIONS, flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


@pytest.mark.parametrize("alert", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_is_told_with_its_meaning_and_what_to_do(alert: dict[str, Any]) -> None:
    told = sections()[alert["alert"]]
    assert "**What it means.**" in told
    assert "**What to do.**" in told
    assert alert["labels"]["severity"] in SEVERITIES
    assert set(alert["annotations"]) == {"summary", "description", "runbook"}
    assert alert["annotations"]["runbook"] == f"docs/operations.md#{alert['alert'].lower()}"


def test_no_alert_is_told_that_is_none() -> None:
    assert set(sections()) == {rule["alert"] for rule in ALERTS}


@pytest.mark.parametrize("alert", ALERTS, ids=lambda rule: rule["alert"])
def test_an_alert_is_tried_where_it_fires_and_where_it_does_not(alert: dict[str, Any]) -> None:
    tests = yaml.safe_load((RULES / "tests.yml").read_text())["tests"]
    tried = [
        bool(one["exp_alerts"])
        for test in tests
        for one in test.get("alert_rule_test", ())
        if one["alertname"] == alert["alert"]
    ]
    assert True in tried
    assert False in tried


def test_the_operators_rules_are_the_same() -> None:
    rule = yaml.safe_load(OPERATOR.read_text())
    assert rule["spec"]["groups"] == groups("recording") + groups("alerts")


def test_only_what_is_told_or_recorded_is_asked_for() -> None:
    families = every_family()
    known = {rule["record"] for rule in RECORDED} | {
        name + suffix
        for name, kind in families.items()
        for suffix in (("_bucket", "_count", "_sum") if kind == "histogram" else ("",))
    }
    asked = {name for expression in asked_for() for name in NAME.findall(expression)}
    assert asked - known == set()


def test_every_metric_is_in_its_page_and_no_other() -> None:
    told = set(re.findall(r"`((?:token_sidecar|process)_\w+)`", METRICS))
    assert told == set(every_family())


def test_every_label_is_in_the_page_beside_its_metric() -> None:
    rows = dict(re.findall(r"^\| `(token_sidecar_\w+)` \|(.*?)\|", METRICS, re.MULTILINE))
    told = {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows.items()}
    exposed = every_family(labels=True)
    assert told == {name: exposed[name] for name in told}


def test_every_word_that_a_label_may_have_is_in_the_page() -> None:
    words: set[str] = set()
    for file in (REPOSITORY / "proxy" / "plane").glob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(
                    func=ast.Name(id="Problem"), args=[_, ast.Constant(value=str(e)), *_]
                ):
                    words.add(e)
                case ast.keyword(arg="reason", value=ast.Constant(value=str(reason))):
                    words.add(reason)
                case ast.Call(
                    func=ast.Name(id="MessageError"), args=[_, _, ast.Constant(value=str(reason))]
                ):
                    words.add(reason)
    assert {"in_flight", "client_key", "connection_refused"} <= words
    assert [word for word in sorted(words) if f"`{word}`" not in METRICS] == []


def test_every_event_of_the_log_is_in_its_table() -> None:
    said: set[str] = set()
    for file in (*(REPOSITORY / "proxy").glob("runtime/**/*.py"), *_tokens()):
        for node in ast.walk(ast.parse(file.read_text())):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="event" | "_tell"),
                    args=[ast.Constant(value="debug" | "info" | "warning" | "error"), kind, *_],
                ) if isinstance(kind, ast.Constant):
                    said.add(str(kind.value))
                case ast.Call(
                    func=ast.Attribute(attr="_say" | "unexpected"),
                    args=[ast.Constant(value=str(kind)), *_],
                ):
                    said.add(kind)
    assert {"start", "token_renewed", "worker_died", "reload_refused", "secret_fault"} <= said
    rows = re.findall(r"^\| (`\w+`(?:, `\w+`)*) \| \w+(?:, \w+)* \|", OPERATIONS, re.MULTILINE)
    told = {name for row in rows for name in re.findall(r"`(\w+)`", row)}
    assert said - told == set()


def _tokens() -> Iterator[Path]:
    yield from (REPOSITORY / "proxy" / "tokens").glob("*.py")


def test_the_dashboard_is_bound_to_no_machine() -> None:
    whole = json.loads(DASHBOARD.read_text())
    variables = {one["name"]: one for one in whole["templating"]["list"]}
    assert variables["datasource"]["type"] == "datasource"
    assert {"job", "instance"} <= set(variables)
    numbers = [panel["id"] for panel in whole["panels"]]
    assert len(set(numbers)) == len(numbers)
    for panel in panels():
        for target in panel["targets"]:
            assert target["datasource"]["uid"] == "${datasource}"
            selectors = re.findall(r"\{([^}]*)\}", target["expr"])
            assert selectors
            assert all('job=~"$job",instance=~"$instance"' in one for one in selectors)
