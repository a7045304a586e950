"""``make reloads``: thousands of reloads under load, some of them broken, none of which may show.

Exits with 1 where a request failed, a broken configuration was applied, a good one was not, or
memory or descriptors grew; the logs are kept then.
"""

from __future__ import annotations

import argparse
import asyncio
import random
import shutil
import statistics
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

from bench.reloads.configurations import Configurations
from bench.reloads.exchange import Client, Plan
from bench.reloads.sidecar import RELOAD, Sidecar
from bench.soak.orders import Program
from bench.subject import free_ports
from tests.support.certificates import Authority

CLIENTS = 12
BROKEN = 50
"""One of so many is broken."""
BY_SIGNAL, BY_FILE = 25, 200
"""One of so many is asked for by a signal; one of so many by nobody: the file alone changes."""
EFFECT = 2.0
"""Seconds in which a changed file is in effect, on a machine that does little else."""
SLACK = 10.0
"""Seconds more that one may take here, where clients and servers share two processors with it."""
QUIET = 9.0
"""Seconds until what was kept for a while is gone: connections, the reader, old credentials."""
MORE_MEMORY, MORE_DESCRIPTORS = 1.10, 4
"""How much more there may be at the end than in the middle."""


@dataclass
class Tally:
    """What was seen."""

    outcomes: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)
    by_file: list[float] = field(default_factory=list)
    broken: Counter[str] = field(default_factory=Counter)
    good: int = 0
    figures: list[tuple[str, float, int]] = field(default_factory=list)

    def enter(self, where: str, outcome: str) -> None:
        """A request has ended."""
        self.outcomes[outcome if outcome == "ok" else "failed"] += 1
        if outcome != "ok":
            self.wrong.append(f"{where}: {outcome}")


class Run:
    """Reloads, and requests meanwhile."""

    def __init__(self, sidecar: Sidecar, drawn: Configurations, port: int, chance: random.Random):
        self._sidecar = sidecar
        self._drawn = drawn
        self._port = port
        self._chance = chance
        self._stop = asyncio.Event()
        self._probe = Client(port)
        self._guests: set[asyncio.Task[None]] = set()
        self.tally = Tally()

    async def rounds(self, count: int, first: int) -> None:
        """So many reloads, under load all the time."""
        self._stop.clear()
        async with asyncio.TaskGroup() as group:
            for number in range(CLIENTS):
                group.create_task(self._client(random.Random(first * 100 + number), number == 0))
            for number in range(first, first + count):
                if not self._sidecar.alive:
                    self.tally.wrong.append("the sidecar has ended")
                    break
                await self._round(number)
            self._stop.set()
        await asyncio.gather(*self._guests)
        self._probe.close()

    async def look(self, when: str) -> None:
        """The figures, once nothing goes on."""
        await asyncio.sleep(QUIET)
        if not self._sidecar.alive:
            return
        if self._sidecar.reading():
            self.tally.wrong.append("what reads configurations is still there")
        figures = when, self._sidecar.memory, self._sidecar.descriptors
        self.tally.figures.append(figures)
        print(f"{when:7} {figures[1]:6.1f} MiB, {figures[2]:3} descriptors", flush=True)

    async def _client(self, chance: random.Random, long: bool) -> None:
        client = Client(self._port)
        while not self._stop.is_set():
            path = chance.choice(("/steady/", "/changing/", "/version/"))
            outcome, _ = await client.ask(path, Plan.drawn(chance, long=long))
            self.tally.enter(path, outcome)
        client.close()

    async def _round(self, number: int) -> None:
        if number % BROKEN == BROKEN - 1:
            await self._broken()
        elif number % BY_FILE == BY_FILE // 2:
            await self._by_file()
        elif number % BY_SIGNAL == BY_SIGNAL // 2:
            await self._by_signal()
        else:
            await self._posted()

    async def _posted(self) -> None:
        self._write(self._drawn.good())
        begun = time.monotonic()
        status, said = await self._sidecar.post()
        self.tally.seconds.append(time.monotonic() - begun)
        self.tally.good += 1
        if status != 200:
            self.tally.wrong.append(f"a good configuration was refused: {said}")
        await self._serves(self._drawn.version)
        if self._chance.random() < 0.1:
            self._visit()

    async def _by_signal(self) -> None:
        applied, _ = await self._sidecar.counted()
        self._write(self._drawn.good())
        self._sidecar.hang_up()
        self.tally.good += 1
        await self._until(applied, RELOAD, "a good configuration was not applied after SIGHUP")
        await self._serves(self._drawn.version)

    async def _by_file(self) -> None:
        applied, _ = await self._sidecar.counted()
        self._write(self._drawn.good())
        begun = time.monotonic()
        self.tally.good += 1
        await self._until(applied, EFFECT + SLACK, "a changed file was not applied")
        self.tally.by_file.append(time.monotonic() - begun)
        await self._serves(self._drawn.version)

    async def _until(self, applied: int, seconds: float, otherwise: str) -> None:
        end = time.monotonic() + seconds
        while (await self._sidecar.counted())[0] <= applied:
            if time.monotonic() > end:
                self.tally.wrong.append(otherwise)
                return
            await asyncio.sleep(0.02)

    async def _broken(self) -> None:
        kind, content = self._drawn.broken()
        self._write(content)
        status, said = await self._sidecar.post()
        self.tally.broken[kind] += 1
        if status != 422 or not said["problems"]:
            self.tally.wrong.append(f"broken ({kind}) and not refused: {status} {said}")
        await self._serves(self._drawn.version)

    def _write(self, content: bytes) -> None:
        self._sidecar.write(content, in_place=self._chance.random() < 0.5)

    async def _serves(self, version: int) -> None:
        """The next request is served by this version."""
        outcome, target = await self._probe.ask("/version/probe", Plan(version, 0, 9, False))
        self.tally.enter("/version/probe", outcome)
        if outcome == "ok" and target != f"/at/steady/{version}/probe":
            self.tally.wrong.append(f"version {version} was not at work: {target}")

    def _visit(self) -> None:
        """A long request at a listener that the next configurations may close."""
        if self._drawn.extra:
            place = self._chance.choice(self._drawn.extra)
            task = asyncio.create_task(self._stay(Client(place)))
            self._guests.add(task)
            task.add_done_callback(self._guests.discard)

    async def _stay(self, guest: Client) -> None:
        await asyncio.sleep(0)
        outcome, _ = await guest.ask(
            "/steady/guest", Plan(self._chance.randrange(10**6), 0, 200_000, True)
        )
        # The next reload may close the listener before the connection stands.
        if "ConnectionRefused" not in outcome and "FileNotFound" not in outcome:
            self.tally.enter("/steady/guest", outcome)
        guest.close()


async def run(home: Path, reloads: int, seed: int, workers: int) -> Tally:
    """Run everything; what was seen."""
    chance = random.Random(seed)
    world = await Program.start("bench.reloads.world", home / "world.log")
    names = ("listen", "admin", "metrics", "extra1", "extra2", "extra3")
    ports = world.ports | dict(zip(names, free_ports(len(names)), strict=True))
    (home / "secret").write_text("a-secret")
    (home / "secret").chmod(0o600)
    Authority(home)
    drawn = Configurations(home, ports, workers, chance)
    sidecar = Sidecar(home, ports["admin"])
    sidecar.write(drawn.good(), in_place=True)
    running = Run(sidecar, drawn, ports["listen"], chance)
    try:
        await sidecar.start()
        await stages(running, reloads)
        processor = sidecar.processor
        told = await world.ask("tell")
        applied, refused = await sidecar.counted()
        print(f"applied {applied}, refused {refused}; {processor:.0f} s of processor time")
    finally:
        code = await sidecar.end()
        await world.end()
    tally = running.tally
    tally.wrong += told["wrong"]
    if code:
        tally.wrong.append(f"the sidecar ended with {code}")
    if refused != sum(tally.broken.values()):
        tally.wrong.append(f"{refused} refused, {sum(tally.broken.values())} broken")
    tally.wrong += [line for line in sidecar.log.splitlines() if "bug" in line or "_fault" in line]
    print(f"{told['served']} requests at the upstream, {told['asked']} token requests")
    return tally


async def stages(running: Run, reloads: int) -> None:
    """A tenth to warm up, then two halves, with a look at the figures after each."""
    warming = max(1, reloads // 10)
    half = (reloads - warming) // 2
    parts = (("start", warming), ("middle", half), ("end", reloads - warming - half))
    first = 0
    for when, count in parts:
        await running.rounds(count, first)
        await running.look(when)
        first += count


def violations(tally: Tally) -> list[str]:
    """All that must not be."""
    found = list(tally.wrong)
    if len(tally.figures) == 3:
        (_, _, _), (_, memory, descriptors), (_, later, more) = tally.figures
        if later > memory * MORE_MEMORY:
            found.append(f"memory grew from {memory:.1f} to {later:.1f} MiB")
        if more > descriptors + MORE_DESCRIPTORS:
            found.append(f"descriptors grew from {descriptors} to {more}")
    return found


def summary(tally: Tally) -> str:
    """For people."""
    seconds = sorted(tally.seconds)
    mean, last = statistics.fmean(seconds), seconds[int(len(seconds) * 0.99)]
    lines = [
        f"{tally.good} good configurations, {tally.broken.total()} broken, "
        f"{tally.outcomes.total()} requests, {tally.outcomes['failed']} failed",
        f"a reload takes {1000 * mean:.0f} ms on average, {1000 * last:.0f} ms in 99 of 100",
    ]
    if tally.by_file:
        lines.append(f"a changed file is in effect within {max(tally.by_file):.1f} s")
    lines += [f"  {count:4} {kind}" for kind, count in sorted(tally.broken.items())]
    return "\n".join(lines)


def arguments() -> argparse.Namespace:
    """What is wanted; the same seed draws the same configurations."""
    parser = argparse.ArgumentParser(prog="bench.reloads", description=__doc__)
    parser.add_argument("reloads", type=int, nargs="?", default=500)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--workers", type=int, default=1, help="processes of the sidecar")
    return parser.parse_args()


def main() -> int:
    """Run it as the arguments say."""
    wanted = arguments()
    home = Path(tempfile.mkdtemp(prefix="ts-reloads-"))
    print(f"reloads: {wanted.reloads}, {CLIENTS} clients, seed {wanted.seed}, logs in {home}")
    begun = time.monotonic()
    tally = asyncio.run(run(home, wanted.reloads, wanted.seed, wanted.workers))
    found = violations(tally)
    print(summary(tally))
    if not found:
        shutil.rmtree(home)
        print(f"{wanted.reloads} reloads in {time.monotonic() - begun:.0f} s, all is well")
        return 0
    print("\n".join(found[:50]))
    print(f"{len(found)} violations; the logs are in {home}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
