"""Keycloak hangs, and Keycloak is gone: what programs see, and how soon it is over."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import itertools
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass

import aiohttp
import pytest

from tests.live.lab import Lab
from tests.live.report import Report
from tests.live.tenants import OUTAGE
from tests.support.process import until

pytestmark = pytest.mark.asyncio(loop_scope="session")
OUTAGE_SECONDS = 15.0
BACK_WITHIN = 5.0
PROGRAMS = 4


@dataclass(frozen=True, slots=True)
class Seen:
    """One answer: when the request went out and when its answer came (``time.monotonic``)."""

    sent: float
    at: float
    status: int
    content_type: str
    retry_after: str | None


class Programs:
    """A few programs that ask all the time and write down what they see."""

    def __init__(self, base: str) -> None:
        self._base = base
        self.seen: list[Seen] = []

    async def run(self) -> None:
        """Until cancelled."""
        async with aiohttp.ClientSession() as http, asyncio.TaskGroup() as group:
            for _ in range(PROGRAMS):
                group.create_task(self._program(http))

    async def _program(self, http: aiohttp.ClientSession) -> None:
        for _ in itertools.count():
            sent = time.monotonic()
            async with http.get(f"{self._base}/anything") as answer:
                await answer.read()
            retry_after = answer.headers.get("Retry-After")
            now = time.monotonic()
            self.seen.append(Seen(sent, now, answer.status, answer.content_type, retry_after))
            await asyncio.sleep(0.1)

    def between(self, begin: float, end: float) -> list[Seen]:
        """The answers that came in this time."""
        return [one for one in self.seen if begin <= one.at < end]

    async def served_since(self, moment: float) -> bool:
        """Whether a request was answered 200 after this moment."""
        return any(one.status == 200 and one.at > moment for one in self.seen)


@contextlib.asynccontextmanager
async def asking(base: str) -> AsyncIterator[Programs]:
    """Programs that ask while the block runs, already served when it begins."""
    programs = Programs(base)
    running = asyncio.create_task(programs.run())
    try:
        await until(lambda: programs.served_since(0), deadline=20, what="that something is served")
        yield programs
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


async def hang(lab: Lab) -> float:
    """Keycloak hangs for the time of an outage; the moment of its return."""
    lab.keycloak.pause()
    try:
        await asyncio.sleep(OUTAGE_SECONDS)
    finally:
        lab.keycloak.resume()
    return time.monotonic()


async def die(lab: Lab) -> float:
    """Keycloak is killed and started again after an outage; the moment when it answers."""
    await lab.keycloak.kill()
    await asyncio.sleep(OUTAGE_SECONDS)
    await lab.keycloak.start(lab.http)
    return time.monotonic()


@pytest.mark.parametrize("outage", [hang, die], ids=["it hangs", "it is killed"])
async def test_an_outage_of_keycloak(lab: Lab, report: Report, outage) -> None:
    denied = await lab.envoy.denied(lab.http)
    installation = lab.install(OUTAGE, hold="2s")
    async with installation.running() as sidecar, asking(installation.base) as programs:
        stopped = time.monotonic()
        returned = await outage(lab)
        served_again = functools.partial(programs.served_since, returned)
        await until(served_again, deadline=30, what="that requests are served again")
        back = min(one.at for one in programs.seen if one.status == 200 and one.at > returned)
        stays_served = functools.partial(programs.served_since, back + 2)
        await until(stays_served, deadline=10, what="that requests stay served")
        assert sidecar.process.returncode is None
    during = programs.between(stopped, returned)
    refused = [one for one in during if one.status != 200]
    after = [one.status for one in programs.seen if one.sent > back]
    ledger = await lab.ledger(OUTAGE)
    report.row(
        f"Keycloak away for {OUTAGE_SECONDS:.0f} s or more",
        how=outage.__name__,
        served_before_the_first_503=len(during) - len(refused),
        seconds_until_503=f"{refused[0].at - stopped:.1f}",
        answers_503=len(refused),
        away=f"{returned - stopped:.1f} s",
        back_after=f"{back - returned:.2f} s",
        late_tokens=len(ledger["late"]),
    )
    assert during[0].status == 200
    assert [one.status for one in during] == sorted(one.status for one in during)
    assert {one.status for one in refused} == {503}
    assert {one.content_type for one in refused} == {"application/problem+json"}
    assert all(one.retry_after is not None and one.retry_after.isdigit() for one in refused)
    assert back - returned <= BACK_WITHIN
    assert set(after) == {200}
    assert (ledger["late"], ledger["answers"].get("401", 0)) == ([], 0)
    assert await lab.envoy.denied(lab.http) == denied
