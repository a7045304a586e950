"""The laboratory, started once for all of these tests.

Without ``PROGRAMS`` (``make programs`` sets it: where they are installed) nothing is collected.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from pathlib import Path

import pytest_asyncio

from tests.programs.lab import Lab, laboratory

collect_ignore_glob = [] if "PROGRAMS" in os.environ else ["test_*.py"]


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def lab() -> AsyncIterator[Lab]:
    """A sidecar between programs, its upstreams and a provider of short-lived tokens."""
    async with laboratory(Path(os.environ["PROGRAMS"])) as running:
        yield running
