"""Two hundred programs that come before the first token share one token request."""

from __future__ import annotations

import asyncio
from collections import Counter

import aiohttp
import pytest

from tests.live.lab import Lab
from tests.live.report import Report
from tests.live.tenants import COLD_START
from tests.support.process import Sidecar, until

pytestmark = pytest.mark.asyncio(loop_scope="session")
PROGRAMS = 200


async def in_flight(sidecar: Sidecar) -> int:
    """How many requests the sidecar has, by its own word."""
    lines = (await sidecar.ask("/metrics")).text.splitlines()
    counts = [line.rpartition(" ")[2] for line in lines if "in_flight" in line and line[0] != "#"]
    return int(sum(map(float, counts)))


def everybody() -> aiohttp.ClientSession:
    """A session with a connection for each program."""
    return aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=0))


async def ask(http: aiohttp.ClientSession, base: str) -> int:
    async with http.get(f"{base}/anything") as answer:
        await answer.read()
        return answer.status


async def test_200_programs_at_once_cause_one_token_request(lab: Lab, report: Report) -> None:
    gate = lab.gates[COLD_START.name]
    gate.hold()
    installation = lab.install(COLD_START, hold="60s")
    async with installation.running() as sidecar, everybody() as http:
        asking = [asyncio.create_task(ask(http, installation.base)) for _ in range(PROGRAMS)]

        async def all_wait() -> bool:
            return await in_flight(sidecar) >= PROGRAMS

        try:
            await until(all_wait, deadline=40, what="that all wait for the first token")
        finally:
            gate.release()
        answers = Counter(await asyncio.gather(*asking))
    report.row(
        "Cold start",
        programs=PROGRAMS,
        answers=dict(answers),
        token_requests=len(gate.asked),
    )
    assert answers == {200: PROGRAMS}
    assert len(gate.asked) == 1
