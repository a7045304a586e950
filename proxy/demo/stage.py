"""The demonstration itself: one scene after the other, told as it goes, judged at the end.

Whatever happens, also an interruption, no process and no file of it stays behind.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
import signal
import time
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final
from urllib.parse import urlsplit

from rich.console import Console

from proxy.demo.calls import CallError
from proxy.demo.narrator import Narrator
from proxy.demo.observe import read_ledger
from proxy.demo.processes import Child, DemonstrationError
from proxy.demo.report import Report, ReportError
from proxy.demo.scenery import Scenery
from proxy.demo.scenes import Play, Run, act, open_world, start_sidecar, work
from proxy.demo.screen import screen
from proxy.demo.setting import Doors, Where, configuration, free_doors
from proxy.demo.verdict import Outcome, failures, summary

SIGNALS: Final = ("SIGINT", "SIGTERM", "SIGHUP")

PREFIX: Final = "sidecar-demo-"
"""Short: the sidecar's own socket lies below, and macOS allows its path 104 bytes."""


class Stage:
    """One performance.

    Args:
        keep: leave it running after a good end, until interrupted.
        seconds: how long the old program works.
        lifetime: seconds that each token lives.
    """

    def __init__(self, console: Console, *, keep: bool, seconds: float, lifetime: int) -> None:
        self.kept = False
        self._console = console
        self._narrator = Narrator(console)
        self._keep = keep
        self._seconds = seconds
        self._lifetime = lifetime

    async def perform(self) -> int:
        """All scenes; 0 if every promise was kept, else 1."""
        self._narrator.opening()
        try:
            with TemporaryDirectory(prefix=PREFIX) as directory:
                async with AsyncExitStack() as stack:
                    return await self._scenes(self._play(stack, Path(directory)))
        except (DemonstrationError, CallError, ReportError) as error:
            self._narrator.failed([str(error)])
            return 1
        except asyncio.CancelledError:
            self._narrator.interrupted()
            raise

    def _play(self, stack: AsyncExitStack, directory: Path) -> Play:
        play = Play(
            stack=stack,
            scenery=Scenery(directory),
            lifetime=self._lifetime,
            secret=secrets.token_urlsafe(18),
            password=secrets.token_urlsafe(18),
        )
        play.scenery.build(play.password)
        return play

    async def _scenes(self, play: Play) -> int:
        where = await open_world(play)
        self._narrator.world(where, self._lifetime)
        direct = Report()
        await work(play, urlsplit(where.api).netloc, 0.0, direct)
        self._narrator.alone(direct)
        doors = free_doors()
        sidecar = await self._sidecar(play, where, doors)
        outcome = await self._work(play, sidecar, where, doors, direct)
        broken = failures(outcome)
        if broken:
            self._narrator.failed(broken)
            return 1
        self._narrator.passed(outcome, summary(outcome))
        if self._keep:
            await self._linger(play, sidecar, where, doors)
        return 0

    async def _sidecar(self, play: Play, where: Where, doors: Doors) -> Child:
        play.scenery.config.write_text(configuration(where, doors))
        self._narrator.configuration(play.scenery.config)
        began = time.monotonic()
        sidecar = await start_sidecar(play, doors)
        self._narrator.ready(sidecar.pid, doors, time.monotonic() - began)
        return sidecar

    async def _work(
        self, play: Play, sidecar: Child, where: Where, doors: Doors, direct: Report
    ) -> Outcome:
        self._narrator.work(doors, self._seconds)
        began = time.monotonic()
        with screen(self._console) as shown:
            run = Run(self._seconds, shown.show)
            report, hand, held = await act(play, sidecar, doors, where, run)
        seconds = time.monotonic() - began
        exit_code = None if self._keep else await sidecar.stop()
        return Outcome(
            lifetime=self._lifetime,
            seconds=seconds,
            direct=direct.statuses,
            report=report,
            held=held,
            by_hand=hand,
            ledger=await asyncio.to_thread(read_ledger, where.ledger),
            exit_code=exit_code,
        )

    async def _linger(self, play: Play, sidecar: Child, where: Where, doors: Doors) -> None:
        """Wait for the interruption, or for the sidecar's unexpected end."""
        self.kept = True
        self._narrator.invitation(play.scenery, where, doors)
        await sidecar.wait()
        raise sidecar.died()


async def perform(stage: Stage) -> int:
    """The performance, or what an interruption makes of it: 128 and the signal's number."""
    task, loop, caught = asyncio.current_task(), asyncio.get_running_loop(), list[int]()

    def interrupt(number: int) -> None:
        if task is not None and not caught:  # once: the second one would cut the clearing up
            caught.append(number)
            task.cancel()

    for number in (getattr(signal, name) for name in SIGNALS if hasattr(signal, name)):
        with contextlib.suppress(NotImplementedError):  # Windows: asyncio.run minds Ctrl-C there
            loop.add_signal_handler(number, interrupt, number)
    try:
        return await stage.perform()
    except asyncio.CancelledError:
        if not caught:
            raise
        return 0 if stage.kept else 128 + caught[0]


def run(*, keep: bool, seconds: float, lifetime: int) -> int:
    """Give one performance on this process's terminal; the exit code."""
    stage = Stage(Console(), keep=keep, seconds=seconds, lifetime=lifetime)
    return asyncio.run(perform(stage))
