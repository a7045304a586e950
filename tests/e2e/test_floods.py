"""The real process with too many connections: for its descriptors, for its memory, too often."""

from __future__ import annotations

import asyncio
import os
import resource
from pathlib import Path

import pytest

from tests.e2e.conftest import Scene
from tests.support.process import Sidecar, until
from tests.support.wire import Wire

GET = b"GET /api/x HTTP/1.1\r\nHost: localhost\r\n\r\n"
MIB = 1 << 20


def descriptors(sidecar: Sidecar) -> int:
    """How many the process has open."""
    return len(list(Path(f"/proc/{sidecar.pid}/fd").iterdir()))


def resident(sidecar: Sidecar) -> int:
    """The process's memory, in bytes."""
    pages = Path(f"/proc/{sidecar.pid}/statm").read_text().split()[1]
    return int(pages) * os.sysconf("SC_PAGE_SIZE")


def cpu(sidecar: Sidecar) -> float:
    """Seconds that it has worked."""
    fields = Path(f"/proc/{sidecar.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def connected(scene: Scene) -> Wire:
    return await Wire.connect(int(scene.data.rpartition(":")[2]))


async def answered(wire: Wire) -> int:
    wire.send(GET)
    return (await wire.response()).status


async def close(wires: list[Wire]) -> None:
    for wire in wires:
        wire.writer.transport.abort()
    await asyncio.sleep(0)


async def back_to(sidecar: Sidecar, count: int) -> None:
    """Wait until no more descriptors are open than this."""

    async def fewer() -> bool:
        return descriptors(sidecar) <= count

    await until(fewer, what=f"{count} descriptors")


pytestmark = pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="needs Linux's /proc")


async def test_without_descriptors_it_serves_whom_it_has_does_not_spin_and_recovers(
    scene: Scene,
) -> None:
    async with scene.running() as sidecar:
        await sidecar.ready()
        old = await connected(scene)
        assert await answered(old) == 200
        usual = descriptors(sidecar)
        resource.prlimit(sidecar.pid, resource.RLIMIT_NOFILE, (usual + 20, usual + 20))
        crowd = [await connected(scene) for _ in range(60)]
        for wire in crowd:
            wire.send(GET)
        before = cpu(sidecar)
        assert await answered(old) in {200, 503}  # it is served, be its upstream's connection gone
        heard = [await wire.gone() if index > 40 else b"" for index, wire in enumerate(crowd)]
        assert not any(heard)  # they could not be accepted, and know it
        refused = await crowd[19].response()
        assert (refused.status, refused.head.one(b"retry-after")) == (503, b"1")
        await asyncio.sleep(1)  # a loop that spins would have worked for all of it
        assert cpu(sidecar) - before < 0.5
        await close(crowd)
        await back_to(sidecar, usual + 1)
        assert await answered(old) == 200
        late = await connected(scene)
        assert await answered(late) == 200
        await close([old, late])


async def test_a_thousand_idle_connections_leave_room_for_the_live_ones(scene: Scene) -> None:
    async with scene.running() as sidecar:
        await sidecar.ready()
        live = await connected(scene)
        assert await answered(live) == 200
        usual, memory = descriptors(sidecar), resident(sidecar)
        idle = [await connected(scene) for _ in range(1000)]
        for _ in range(50):
            assert await answered(live) == 200
        assert descriptors(sidecar) >= usual + 1000
        assert resident(sidecar) - memory < 16 * MIB
        await close([*idle, live])
        await back_to(sidecar, usual)


async def churn(scene: Scene, count: int) -> None:
    """Connections that are closed or reset: answered, inside a head, unused."""
    for number in range(count):
        wire = await connected(scene)
        if number % 3 == 0:
            assert await answered(wire) == 200
        elif number % 3 == 1:
            wire.send(GET[: number % len(GET)])
        (wire.reset if number % 2 else wire.close)()
        await asyncio.sleep(0)


async def test_connections_that_come_and_go_leave_nothing_behind(scene: Scene) -> None:
    async with scene.running() as sidecar:
        await sidecar.ready()
        first = await connected(scene)
        assert await answered(first) == 200
        await close([first])
        usual = descriptors(sidecar)
        await churn(scene, 300)
        memory = resident(sidecar)
        await churn(scene, 600)
        await back_to(sidecar, usual)
        assert resident(sidecar) - memory < 4 * MIB
