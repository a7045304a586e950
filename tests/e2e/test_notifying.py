"""What a service manager is told over its socket, from the start to the end."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.e2e.conftest import ENVIRON, Scene
from tests.support.identity_provider import Reply
from tests.support.process import running

pytestmark = pytest.mark.parametrize("workers", [1, 2])


class Manager:
    """Hears datagrams, line by line."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._sock.bind(str(path))
        self._sock.setblocking(False)
        self._lines: list[str] = []

    async def hears(self, begin: str) -> str:
        """The next line that begins so; before it only signs of life and other states come."""
        while True:
            while not self._lines:
                async with asyncio.timeout(10):
                    datagram = await asyncio.get_running_loop().sock_recv(self._sock, 4096)
                self._lines = datagram.decode().splitlines()
            line = self._lines.pop(0)
            if line.startswith(begin):
                return line
            assert line.startswith(("STATUS=", "WATCHDOG=")), (line, self._lines)

    def close(self) -> None:
        self._sock.close()


@pytest.fixture
async def manager(scene: Scene) -> AsyncIterator[Manager]:
    made = Manager(scene.home / "notify")
    yield made
    made.close()


def environ(manager: Manager, **more: str) -> dict[str, str]:
    return {**ENVIRON, "NOTIFY_SOCKET": str(manager.path), **more}


async def test_it_hears_of_all_that_happens(scene: Scene, manager: Manager) -> None:
    scene.provider.otherwise = Reply(503, {})
    config = scene.config("drain: {delay: 1s, grace: 20s}")
    async with running(config, scene.home, admin=scene.admin, environ=environ(manager)) as sidecar:
        await manager.hears("READY=1")
        assert not await scene.refused()  # it listens, though it has no token yet
        await manager.hears("STATUS=waiting for a first token: api")
        scene.provider.otherwise = None
        await manager.hears("STATUS=ready")
        (scene.home / "config.yaml").write_text(config + "\nnonsense: 1\n")
        sidecar.send(signal.SIGHUP)
        await manager.hears("RELOADING=1")
        begun = int((await manager.hears("MONOTONIC_USEC=")).partition("=")[2])
        assert 0 <= asyncio.get_running_loop().time() - begun / 1e6 < 20
        await manager.hears("READY=1")
        await manager.hears("STATUS=ready; the last reload was refused")
        sidecar.send(signal.SIGTERM)
        await manager.hears("STOPPING=1")
        assert await manager.hears("EXTEND_TIMEOUT_USEC=") == "EXTEND_TIMEOUT_USEC=31000000"
        await manager.hears("STATUS=draining")
        assert await sidecar.ended() == 0


async def test_it_hears_signs_of_life_as_often_as_it_wants(scene: Scene, manager: Manager) -> None:
    given = environ(manager, WATCHDOG_USEC="2000000")
    async with running(scene.config(), scene.home, admin=scene.admin, environ=given) as sidecar:
        await manager.hears("READY=1")
        await scene.at_work(sidecar)
        for _ in range(3):
            async with asyncio.timeout(2):
                await manager.hears("WATCHDOG=1")
        assert await sidecar.stop() == 0
