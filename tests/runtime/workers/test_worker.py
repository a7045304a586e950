from __future__ import annotations

import subprocess
import sys

import pytest

from proxy.plane.settings import Limits
from proxy.runtime.workers.staff import LONGEST, pause
from proxy.runtime.workers.worker import share
from tests.support.process import REPOSITORY


def test_limits_hold_for_all_workers_together() -> None:
    limits = Limits(connections=10_001, in_flight=3, replay_budget=10)
    ours = share(limits, 2)
    assert (ours.connections, ours.in_flight, ours.replay_budget) == (5001, 2, 5)
    assert (ours.head, ours.body_idle) == (limits.head, limits.body_idle)
    assert share(Limits(connections=1, in_flight=1), 8).in_flight == 1


@pytest.mark.parametrize(("early", "seconds"), [(0, 0.0), (1, 0.0), (2, 1.0), (9, LONGEST)])
def test_a_first_death_is_made_good_at_once_and_later_ones_more_slowly(
    early: int, seconds: float
) -> None:
    assert pause(early) == seconds


def test_a_worker_imports_nothing_that_only_its_supervisor_needs() -> None:
    listed = subprocess.run(
        [
            sys.executable,
            "-c",
            "import proxy.runtime.workers.start, sys; print(*sys.modules)",
        ],
        cwd=REPOSITORY,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    packages = {name.partition(".")[0] for name in listed}
    assert {"proxy", "httptools"} <= packages
    assert not packages & {"aiohttp", "authlib", "cryptography", "prometheus_client", "pydantic"}
