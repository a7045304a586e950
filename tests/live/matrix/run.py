"""One provider's part of the matrix, run: all its cells in one sidecar, side by side."""

from __future__ import annotations

import asyncio
import itertools
import time
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.live.matrix.cell import Cell
from tests.live.matrix.keys import place
from tests.live.matrix.login import log_in
from tests.live.matrix.side import ENVIRON, LIFETIME, Side
from tests.live.sidecar import Installation, install
from tests.live.tenants import MARYS_PASSWORD
from tests.live.verified_api import Ledger, VerifiedApi
from tests.support.process import Sidecar, until

BY_PERSON = ("authorization_code", "device_code")
PAUSE = 0.4
"""Seconds between two requests of a cell's program."""

AT_ONCE = 4
"""How many people log in at the same time: all the servers share this machine."""


@dataclass(slots=True)
class Outcome:
    """What one cell's program saw, and what the API wrote down."""

    ledger: Ledger
    answers: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def told(self) -> str:
        """For the table."""
        if self.wrong or set(self.answers) != {200} or self.ledger.refused:
            return "FAILED"
        return f"{len(self.ledger.tokens)} tokens"


async def run(
    side: Side, api: VerifiedApi, http: aiohttp.ClientSession, home: Path, seconds: float
) -> dict[Cell, Outcome]:
    """Everything from the clients' enrolment to the sidecar's end; one outcome for each cell."""
    await side.enrol()
    outcomes = {}
    for cell in side.cells:
        ledger, keys = side.ledger(cell)
        await api.expect(cell.name, ledger, keys)
        outcomes[cell] = Outcome(ledger)
    installation = install(home, configuration(side, api, home), ENVIRON)
    place(MARYS_PASSWORD, home / "mary.password")
    for cell in side.cells:
        await side.begin(cell, home)
    keeping = asyncio.create_task(keep_fresh(side, home))
    try:
        await people(installation, outcomes)
        async with installation.running() as sidecar:
            await ready(sidecar)
            end = time.monotonic() + seconds
            async with asyncio.TaskGroup() as group:
                for cell, outcome in outcomes.items():
                    group.create_task(program(side, cell, http, installation.base, end, outcome))
    finally:
        keeping.cancel()
        await asyncio.gather(keeping, return_exceptions=True)
    return outcomes


async def keep_fresh(side: Side, home: Path) -> None:
    """What somebody else writes into files is written anew, as a kubelet does it."""
    while True:
        for cell in side.cells:
            side.refresh(cell, home)
        await asyncio.sleep(LIFETIME)


def configuration(side: Side, api: VerifiedApi, home: Path) -> dict[str, object]:
    """A credential and a route for each cell."""
    credentials = {cell.name: side.credential(cell) for cell in side.cells}
    routes = [
        {"path": f"/{name}/", "upstream": f"{api.url}/{name}/", "credential": name}
        for name in credentials
    ]
    whole = {"credentials": {**credentials, **side.further()}, "routes": routes, "hold": "20s"}
    return whole | {"store": {"file": str(home / "tokens")}}


async def people(installation: Installation, outcomes: dict[Cell, Outcome]) -> None:
    """Everybody whose credential begins with a person logs in."""
    turns = asyncio.Semaphore(AT_ONCE)

    async def one(cell: Cell) -> None:
        async with turns:
            outcomes[cell].wrong += await log_in(installation, cell.name)

    await asyncio.gather(*(one(cell) for cell in outcomes if cell.grant in BY_PERSON))


async def ready(sidecar: Sidecar) -> None:
    """Wait a while for all credentials; those that have none yet are seen by their programs."""

    async def settled() -> bool:
        return (await sidecar.ask("/readyz")).status == 200

    try:
        await until(settled, deadline=15, what="/readyz")
    except TimeoutError:
        return


async def program(
    side: Side, cell: Cell, http: aiohttp.ClientSession, base: str, end: float, outcome: Outcome
) -> None:
    """Ask over and over; where the caller's own token decides, with a new one for each life."""
    bearer, until_then = None, 0.0
    for number in itertools.count():
        if time.monotonic() > end:
            return
        if time.monotonic() > until_then:
            bearer, until_then = await side.bearer(cell), time.monotonic() + LIFETIME
        headers = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        async with http.get(f"{base}/{cell.name}/{number}", headers=headers) as answer:
            text = await answer.text()
        outcome.answers[answer.status] += 1
        if answer.status != 200:
            outcome.wrong.append(text[:600])
        await asyncio.sleep(PAUSE)


def table(
    cells: Iterable[Cell], outcomes: dict[Cell, Outcome], columns: tuple[str, ...]
) -> list[dict[str, str]]:
    """Rows of the matrix: a grant, then what came of it with each authentication."""
    rows: dict[str, dict[str, str]] = {}
    for cell in cells:
        row = rows.setdefault(cell.row, {"grant": cell.row} | dict.fromkeys(columns, "-"))
        row[cell.authentication] = outcomes[cell].told
    return list(rows.values())
