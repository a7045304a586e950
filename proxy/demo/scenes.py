"""What happens in each scene: a process is started, and awaited as long as it may take.

Knows nothing of how it looks or of what it proves. Whoever gives the exit stack stops what was
started.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Final

from proxy.demo.calls import CallError, call
from proxy.demo.hand import by_hand
from proxy.demo.observe import Held, read_status
from proxy.demo.processes import Child, environment, module
from proxy.demo.report import Report, parse
from proxy.demo.scenery import Scenery
from proxy.demo.screen import View
from proxy.demo.setting import PASSWORD, SECRET, Doors, Where
from proxy.demo.verdict import ByHand

PATIENCE: Final = 15.0
"""Seconds to wait for a process to be ready, or to finish beyond its time."""
GRACE: Final = 1.0
"""Seconds for a process that no longer answers to turn out to be gone."""
GLANCE: Final = 0.25
"""Seconds between two looks at the running sidecar."""


@dataclass(frozen=True, slots=True)
class Play:
    """What all scenes share.

    Attributes:
        secret, password: made up for this one time.
        lifetime: seconds that each token lives.
    """

    stack: AsyncExitStack
    scenery: Scenery
    lifetime: int
    secret: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Run:
    """How long the program works through the sidecar, and who is shown each moment of it."""

    seconds: float
    show: Callable[[View], None]


async def open_world(play: Play) -> Where:
    """Start the provider and the API.

    Raises:
        DemonstrationError: they did not come up.
    """
    command = module("proxy.demo.world", "--lifetime", str(play.lifetime))
    environ = environment({SECRET: play.secret, PASSWORD: play.password})
    log = play.scenery.log("world")
    world = await Child.start("the outside world", command, log=log, environ=environ)
    play.stack.push_async_callback(world.stop)
    try:
        async with asyncio.timeout(PATIENCE):
            line = await world.line()
            if not line:
                await world.wait()
                raise world.died()
    except TimeoutError:
        raise world.blamed(f"was not ready in {PATIENCE:g} s") from None
    return Where(**json.loads(line))


async def work(play: Play, netloc: str, seconds: float, report: Report) -> None:
    """Let the old program work at HOST:PORT for so long and add up what it reports.

    Raises:
        DemonstrationError: it failed, or did not finish.
        ReportError: it wrote something else.
    """
    command = play.scenery.program(netloc, seconds)
    log = play.scenery.log("program")
    program = await Child.start("the old program", command, log=log, environ=dict(os.environ))
    play.stack.push_async_callback(program.stop)
    try:
        async with asyncio.timeout(seconds + PATIENCE):
            while line := await program.line():
                report.add(parse(line))
            if await program.wait():
                raise program.died()
    except TimeoutError:
        raise program.blamed("did not finish in time") from None


async def start_sidecar(play: Play, doors: Doors) -> Child:
    """Start the sidecar on its configuration file and wait until it is ready.

    Raises:
        DemonstrationError: it ended, or did not become ready.
    """
    command = module("proxy", "run", "--config", str(play.scenery.config))
    environ, log = environment({SECRET: play.secret}), play.scenery.log("sidecar")
    sidecar = await Child.start("the sidecar", command, log=log, environ=environ, heard=False)
    play.stack.push_async_callback(sidecar.stop)
    until = time.monotonic() + PATIENCE
    while not await asyncio.to_thread(_ready, doors.admin):
        if not sidecar.running:
            raise sidecar.died()
        if time.monotonic() > until:
            raise sidecar.blamed(f"was not ready in {PATIENCE:g} s")
        await asyncio.sleep(0.05)
    return sidecar


async def act(
    play: Play, sidecar: Child, doors: Doors, where: Where, run: Run
) -> tuple[Report, ByHand, tuple[Held, ...]]:
    """Let the program work through the sidecar, a token age by hand beside it, and watch both.

    Raises:
        DemonstrationError: a process failed.
        CallError: one does not answer.
    """
    report = Report()
    working = asyncio.create_task(work(play, doors.listen, run.seconds, report))
    ageing = asyncio.create_task(by_hand(where, play.secret))
    began = time.monotonic()
    try:
        while not working.done():
            held = await _status(sidecar, doors)
            run.show(View(time.monotonic() - began, run.seconds, report, held))
            await asyncio.wait({working}, timeout=GLANCE)
        await working
        hand = await ageing
        return report, hand, await _status(sidecar, doors)
    finally:
        for task in (working, ageing):
            task.cancel()
        await asyncio.gather(working, ageing, return_exceptions=True)


async def _status(sidecar: Child, doors: Doors) -> tuple[Held, ...]:
    """What the sidecar tells, or its last words if it is gone."""
    try:
        return await asyncio.to_thread(read_status, doors.admin)
    except CallError:
        if await sidecar.ends_within(GRACE):
            raise sidecar.died() from None
        raise


def _ready(admin: str) -> bool:
    try:
        status, _ = call("GET", f"http://{admin}/readyz")
    except CallError:
        return False
    return status == 200
