"""Tokens revoked at the API while uploads run: one new token, each upload processed once."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import random
import time
import uuid
from collections import Counter
from collections.abc import AsyncIterator

import aiohttp
import pytest

from tests.live.lab import Lab
from tests.live.report import Report
from tests.live.tenants import REVOCATION
from tests.support.process import until

pytestmark = pytest.mark.asyncio(loop_scope="session")
UPLOADERS = 64
LARGEST = 192 << 10
"""Bytes; with 64 of them at a time all fit into the replay budget."""
PIECES = 10
MIN_INTERVAL = 10.0
"""Seconds; the default of ``renew.min_interval``."""
REVOCATIONS = 2


class Uploads:
    """Programs that upload under request ids of their own until told to stop."""

    def __init__(self, base: str) -> None:
        self._base = base
        self._bytes = random.Random(64)
        self.stop = False
        self.answers: dict[str, int] = {}
        self.damaged = 0
        self.others: list[str] = []

    async def run(self) -> None:
        """Sixty-four at a time."""
        connector = aiohttp.TCPConnector(limit=UPLOADERS)
        async with aiohttp.ClientSession(connector=connector) as http, asyncio.TaskGroup() as group:
            for _ in range(UPLOADERS):
                group.create_task(self._uploader(http))

    async def begun(self) -> bool:
        """Whether everybody has uploaded something."""
        return len(self.answers) >= UPLOADERS

    async def _uploader(self, http: aiohttp.ClientSession) -> None:
        for _ in itertools.count():
            if self.stop:
                return
            await self._upload(http, self._bytes.randbytes(self._bytes.randint(1, LARGEST)))

    async def _upload(self, http: aiohttp.ClientSession, body: bytes) -> None:
        name = str(uuid.uuid4())
        headers = {"X-Request-Id": name, "Content-Length": str(len(body))}
        url = f"{self._base}/upload"
        async with http.post(url, data=slowly(body), headers=headers) as answer:
            self.answers[name] = answer.status
            if answer.status == 200:
                about = await answer.json()
                self.damaged += about["sha256"] != hashlib.sha256(body).hexdigest()
            else:
                self.others.append(f"{answer.status} {await answer.text()} {dict(answer.headers)}")


async def slowly(body: bytes) -> AsyncIterator[bytes]:
    """The body in a few pieces, so that many uploads are under way at any moment."""
    size = len(body) // PIECES + 1
    for start in range(0, len(body), size):
        yield body[start : start + size]
        await asyncio.sleep(0.02)


async def revoke_and_wait(lab: Lab, uploads: Uploads) -> None:
    """Revoke; see two hundred uploads answered after it and the storm's interval over."""
    goal, over = len(uploads.answers) + 200, time.monotonic() + MIN_INTERVAL + 1
    await lab.revoke(REVOCATION)

    async def went_on() -> bool:
        return len(uploads.answers) >= goal and time.monotonic() > over

    await until(went_on, deadline=60, what="that uploads go on after a revocation")


async def test_a_revocation_costs_one_token_and_no_upload(lab: Lab, report: Report) -> None:
    gate, installation = lab.gates[REVOCATION.name], lab.install(REVOCATION)
    async with installation.running() as sidecar:
        uploads = Uploads(installation.base)
        running = asyncio.create_task(uploads.run())
        try:
            await until(uploads.begun, deadline=20, what="the first uploads")
            for _ in range(REVOCATIONS):
                await revoke_and_wait(lab, uploads)
        finally:
            uploads.stop = True
            await running
    ledger = await lab.ledger(REVOCATION)
    answers = Counter(uploads.answers.values())
    twice = [name for name, times in ledger["processed"].items() if times > 1]
    lost = [name for name in uploads.answers if name not in ledger["processed"]]
    gaps = [later - earlier for earlier, later in itertools.pairwise(gate.asked)]
    report.row(
        f"Revocation while {UPLOADERS} uploads run",
        uploads=dict(answers),
        refused_at_the_API=ledger["answers"].get("401", 0),
        processed_twice=len(twice),
        lost=len(lost),
        revocations=REVOCATIONS,
        token_requests=len(gate.asked),
        shortest_gap=f"{min(gaps[1:], default=0):.1f} s",
    )
    assert answers == {200: len(uploads.answers)}, (uploads.others, sidecar.err[-4000:])
    assert (twice, lost, uploads.damaged) == ([], [], 0)
    assert ledger["answers"]["401"] > 0
    assert len(gate.asked) == 1 + REVOCATIONS
    assert min(gaps[1:]) >= MIN_INTERVAL
