"""The servers, each started when the first test wants it, and the report at the end.

Without ``KEYCLOAK_HOME`` (``make live`` sets it) nothing here is collected. When a test failed,
what the servers wrote is kept in ``build/live``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import aiohttp
import pytest
import pytest_asyncio

from tests.live.keycloak import OLD, TODAYS, Keycloak, Release
from tests.live.lab import Lab
from tests.live.report import Report
from tests.live.tenants import TENANTS
from tests.support.certificates import Authority, Pair

if TYPE_CHECKING:
    from selenium.webdriver import Chrome

collect_ignore_glob = [] if "KEYCLOAK_HOME" in os.environ else ["test_*.py"]
REPORT = pytest.StashKey[Report]()
KEPT = Path("build/live")


@pytest.fixture(scope="session")
def work(request: pytest.FixtureRequest) -> Iterator[Path]:
    """A directory for what the servers keep and write."""
    with tempfile.TemporaryDirectory(prefix="token-sidecar-live-") as made:
        yield Path(made)
        if request.session.testsfailed:
            keep(Path(made))


def keep(work: Path) -> None:
    """Copy every log and what sidecars said to where they outlive the run."""
    shutil.rmtree(KEPT, ignore_errors=True)
    for pattern in ("*.log", "*/stderr", "*/stdout", "*/config.yaml"):
        for file in work.glob(pattern):
            kept = KEPT / file.relative_to(work)
            kept.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(file, kept)


@pytest.fixture(scope="session")
def authority(work: Path) -> Authority:
    """Who signs certificates for servers and clients of this run."""
    return Authority(work)


@pytest.fixture(scope="session")
def shown(authority: Authority) -> Pair:
    """The certificate that all servers show: for localhost and 127.0.0.1."""
    return authority.issue()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def http() -> AsyncIterator[aiohttp.ClientSession]:
    """The tests' own client."""
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture(scope="session")
def keycloak_of(work: Path, authority: Authority, shown: Pair):
    """Makes a Keycloak of some release, not started."""

    def make(release: Release) -> Keycloak:
        return Keycloak(release, work, shown, authority.ca_file)

    return make


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def keycloak(keycloak_of, http: aiohttp.ClientSession) -> AsyncIterator[Keycloak]:
    """Today's Keycloak, running."""
    server = keycloak_of(TODAYS)
    try:
        await server.start(http)
        yield server
    finally:
        await server.kill()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def old_keycloak(keycloak_of, http: aiohttp.ClientSession) -> AsyncIterator[Keycloak]:
    """The Keycloak that vendors still ship, running."""
    server = keycloak_of(OLD)
    try:
        await server.start(http)
        yield server
    finally:
        await server.kill()


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def lab(keycloak: Keycloak, work: Path, http: aiohttp.ClientSession) -> AsyncIterator[Lab]:
    """Today's Keycloak with every tenant, Envoy and the strict API, running."""
    lab = Lab(keycloak, work, http)
    try:
        await lab.start(TENANTS)
        yield lab
    finally:
        await lab.stop()


@pytest.fixture
def chromium(work: Path) -> Iterator[Chrome]:
    """A Chromium that knows nobody yet; it accepts any certificate."""
    from tests.live.chromium import chromium as browsing  # noqa: PLC0415 - not installed elsewhere

    with browsing(work / f"chromium-{uuid.uuid4().hex}", trusting=True) as driver:
        yield driver


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
    """Print the report after the tests, and how long each file of them took."""
    if REPORT in config.stash:
        terminalreporter.section("measured")
        for line in config.stash[REPORT].lines():
            terminalreporter.write_line(line)
        for file, taken in durations(terminalreporter).items():
            terminalreporter.write_line(f"{taken:6.0f} s  {file}")


def durations(terminalreporter: pytest.TerminalReporter) -> Mapping[str, float]:
    """File → seconds, what its tests had started included."""
    taken: defaultdict[str, float] = defaultdict(float)
    for reports in terminalreporter.stats.values():
        for one in reports:
            if isinstance(one, pytest.TestReport):
                taken[one.nodeid.partition("::")[0]] += one.duration
    return taken
