"""The real cluster's tests: ``make kube`` runs them inside the lab, several side by side.

Elsewhere nothing here is collected. Each test has a namespace of its own; where one failed, its
pods, events and logs are shown beside the failure. What was measured is printed at the end.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import pytest

from tests.kube.kubectl import Namespace
from tests.kube.told import VARIABLE, Surroundings, surroundings

collect_ignore_glob = [] if VARIABLE in os.environ else ["test_*.py"]
MEASURED = "measured"


@pytest.fixture(scope="session")
def told() -> Surroundings:
    """What there is on the node beside the cluster."""
    return surroundings()


@pytest.fixture
def namespace(request: pytest.FixtureRequest, told: Surroundings) -> Iterator[Namespace]:
    """One for this test alone, whose pods are a visitor of the API by the same name."""
    marked = request.node.get_closest_marker("namespace")
    name = marked.args[0] if marked else named_after(request.node.name)
    made = Namespace(name)
    made.make()
    expect(told, name)
    request.node.stash[NAMESPACE] = made
    yield made
    made.remove()


NAMESPACE = pytest.StashKey[Namespace]()


def named_after(test: str) -> str:
    """A namespace's name: letters, digits and hyphens, not too many (RFC 1123)."""
    letters = re.sub(r"[^a-z0-9]+", "-", test.lower().removeprefix("test_"))
    return letters[:50].strip("-")


def expect(told: Surroundings, visitor: str) -> None:
    """Make the API know a visitor."""
    urlopen(Request(f"{told.books}/{visitor}", method="POST"), timeout=30).close()


@pytest.fixture
def ledger(told: Surroundings, namespace: Namespace):
    """Tells what this test's pods did at the API."""

    def read() -> dict[str, Any]:
        with urlopen(f"{told.books}/{namespace.name}", timeout=30) as answer:
            return dict(json.load(answer))

    return read


@pytest.fixture
def measured(record_property):
    """Takes a line for the end of the run."""
    return lambda line: record_property(MEASURED, line)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):
    """Tell a failed test's whole story while its namespace is still there."""
    report = yield
    if call.when == "call" and report.failed and NAMESPACE in item.stash:
        namespace = item.stash[NAMESPACE]
        report.sections.append((f"namespace {namespace.name}", namespace.story()))
        node = Path(os.environ["KUBE_LAB"]) / "kubelet.log"
        report.sections.append(("the kubelet", "\n".join(node.read_text().splitlines()[-15:])))
    return report


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured, whichever process measured it."""
    passed = [*terminalreporter.stats.get("passed", ()), *terminalreporter.stats.get("failed", ())]
    lines = [line for one in passed for name, line in one.user_properties if name == MEASURED]
    if lines:
        terminalreporter.section("measured")
    for line in lines:
        terminalreporter.write_line(line)


def pytest_configure(config: pytest.Config) -> None:
    """Know the tests' own mark."""
    config.addinivalue_line("markers", "namespace(name): a test's namespace must have this name")
