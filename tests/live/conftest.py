"""The servers, started once for all live tests, and the report at the end.

Without ``KEYCLOAK_HOME`` (``make live`` sets it) nothing here is collected.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio

from tests.live.lab import Lab
from tests.live.report import Report
from tests.live.tenants import TENANTS

collect_ignore_glob = [] if "KEYCLOAK_HOME" in os.environ else ["test_*.py"]
REPORT = pytest.StashKey[Report]()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def lab() -> AsyncIterator[Lab]:
    """Keycloak with every tenant, Envoy and the strict API, running."""
    home = Path(os.environ["KEYCLOAK_HOME"])
    with tempfile.TemporaryDirectory(prefix="token-sidecar-live-") as work:
        async with aiohttp.ClientSession() as http:
            lab = Lab(home, Path(work), http)
            try:
                await lab.start(TENANTS)
                yield lab
            finally:
                await lab.stop()


@pytest.fixture(scope="session")
def seconds() -> float:
    """How long each recipe runs."""
    return float(os.environ.get("SECONDS", "30"))


@pytest.fixture(scope="session")
def report(pytestconfig: pytest.Config) -> Report:
    """Where tests write what they measured."""
    return pytestconfig.stash.setdefault(REPORT, Report())


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print the report after the tests."""
    if REPORT in config.stash:
        terminalreporter.section("measured")
        for line in config.stash[REPORT].lines():
            terminalreporter.write_line(line)
