"""``make rolling``: two instances take turns under traffic, as in a Deployment that is rolled over.

Each roll: a new one starts and becomes ready, the old one gets SIGTERM, and only some time later
new connections cease to come to it. Exits with 1 where a request failed.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import itertools
import random
import shutil
import sys
import tempfile
import time
from collections.abc import AsyncIterator
from pathlib import Path

from bench.rolling.clients import Client, Tally, crowd
from bench.rolling.instance import Instance, Slot
from bench.rolling.service import Service
from bench.rolling.upstream import Upstream, upstream
from bench.subject import free_ports

WARMING = 0.3
"""Seconds of traffic before the first roll and after the last."""


class Rehearsal:
    """All rolls, one after the other."""

    def __init__(self, slots: list[Slot], removal: float, chance: random.Random) -> None:
        self._slots = itertools.cycle(slots)
        self._removal = removal
        self._chance = chance
        self.service = Service(chance)
        self.codes: list[int] = []
        self._instances: list[Instance] = []
        self.late = 0
        self._now: Instance | None = None

    async def begin(self) -> None:
        """The first instance, without traffic yet."""
        self._now = await self._start()

    async def roll(self) -> None:
        """The next one takes over."""
        old, self._now = self._now, await self._start()
        if old is not None:
            await self._end(old)

    async def end(self) -> None:
        """Without traffic again."""
        if self._now is not None:
            self._now.stop()
            self.codes.append(await self._now.ended())

    async def _start(self) -> Instance:
        instance = await Instance.start(next(self._slots), self._instances)
        self.service.add(instance)
        return instance

    def kill(self) -> None:
        """Leave nothing behind, however this ends."""
        for instance in self._instances:
            instance.kill()

    async def _end(self, old: Instance) -> None:
        old.stop()
        await asyncio.sleep(self._chance.uniform(0.1, 1.0) * self._removal)
        self.service.remove(old)
        self.codes.append(await old.ended())
        self.late += old.late


async def rehearse(home: Path, wanted: argparse.Namespace) -> list[str]:
    """Run everything; what was wrong."""
    chance, tally, begun = random.Random(wanted.seed), Tally(), time.monotonic()
    async with upstream() as (served, port):
        rehearsal = Rehearsal(slots(home, wanted, port), wanted.removal, chance)
        try:
            await rehearsal.begin()
            async with traffic(rehearsal.service, wanted.delay, tally, chance):
                for roll in range(wanted.rolls):
                    await rehearsal.roll()
                    if sys.stdout.isatty() or roll % 10 == 9:
                        print(f"{roll + 1} rolls, {len(tally.failed)} failed", flush=True)
            await rehearsal.end()
        finally:
            rehearsal.kill()
    print(summary(tally, rehearsal, time.monotonic() - begun))
    return wrong(tally, rehearsal, served, home)


def slots(home: Path, wanted: argparse.Namespace, upstream_port: int) -> list[Slot]:
    """Where the two instances live."""
    ports = free_ports(4)
    return [
        Slot(home / str(at), *ports[at : at + 2], upstream_port, wanted.workers, wanted.delay)
        for at in (0, 2)
    ]


@contextlib.asynccontextmanager
async def traffic(
    service: Service, delay: float, tally: Tally, chance: random.Random
) -> AsyncIterator[None]:
    """All clients, while the block runs and a little before and after it."""
    over = asyncio.Event()
    clients = [
        Client(kind, service, tally, chance) for kind in crowd(delay) for _ in range(kind.count)
    ]
    asking = [asyncio.create_task(client.run(over)) for client in clients]
    await asyncio.sleep(WARMING)
    yield
    await asyncio.sleep(WARMING)
    over.set()
    await asyncio.gather(*asking)


def summary(tally: Tally, rehearsal: Rehearsal, elapsed: float) -> str:
    """What was done."""
    kinds = ", ".join(f"{count} {name}" for name, count in sorted(tally.answered.items()))
    return (
        f"answered: {kinds}\n"
        f"{tally.kept} went over a kept connection; {rehearsal.late} connections were opened to"
        f" an instance after its SIGTERM; the slowest request took {tally.slowest:.2f} s;"
        f" {elapsed / max(1, len(rehearsal.codes) - 1):.1f} s a roll"
    )


def wrong(tally: Tally, rehearsal: Rehearsal, served: Upstream, home: Path) -> list[str]:
    """Whatever must not be."""
    found = list(tally.failed)
    found += [f"{post} came {count} times" for post, count in served.posts.items() if count != 1]
    found += [f"an instance ended with {code}" for code in rehearsal.codes if code != 0]
    if served.strangers:
        found.append(f"{served.strangers} requests had no token")
    if not rehearsal.late:
        found.append("nobody came to an instance after its SIGTERM: this was no rehearsal")
    for log in home.glob("*/log"):
        found += [line for line in log.read_text().splitlines() if " ERROR " in line]
    return found


def arguments() -> argparse.Namespace:
    """What is wanted."""
    parser = argparse.ArgumentParser(prog="bench.rolling", description=__doc__)
    parser.add_argument("rolls", type=int, nargs="?", default=100)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(10**6))
    parser.add_argument("--workers", type=int, default=1, help="processes of each sidecar")
    parser.add_argument("--delay", type=float, default=0.8, help="drain.delay in seconds")
    parser.add_argument(
        "--removal", type=float, default=0.55, help="seconds until all nodes know, at most"
    )
    return parser.parse_args()


def main() -> int:
    """Run it as the arguments say."""
    wanted = arguments()
    home = Path(tempfile.mkdtemp(prefix="token-sidecar-rolling-"))
    print(f"rolling: {wanted.rolls} rolls, seed {wanted.seed}, logs in {home}", flush=True)
    found = asyncio.run(rehearse(home, wanted))
    if not found:
        with contextlib.suppress(OSError):
            shutil.rmtree(home)
        print(f"{wanted.rolls} rolls, 0 failed requests")
        return 0
    print("\n".join(found[:50]))
    print(f"{len(found)} things are wrong; the logs are in {home}")
    return 1


if __name__ == "__main__":
    sys.exit(main())
