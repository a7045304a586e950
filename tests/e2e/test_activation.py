"""Listening sockets that somebody else opened, as systemd does: served, kept, and left behind."""

from __future__ import annotations

import asyncio
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager, ExitStack
from dataclasses import dataclass
from functools import partial

import aiohttp
import pytest

from tests.e2e.conftest import ENVIRON, Scene
from tests.support import activation
from tests.support.process import PROGRAM, Sidecar, running, until

pytestmark = pytest.mark.parametrize("workers", [1, 2])


@dataclass
class Manager:
    """Holds sockets open over any number of sidecars."""

    scene: Scene
    data: socket.socket
    admin: socket.socket
    unix: socket.socket

    def config(self, more: str = "") -> str:
        """All of them in use, the Unix socket by a route of its own."""
        own = f"""\
  - listen: unix:{self.scene.home}/route.sock
    upstream: {self.scene.upstream.url}/own/
    credential: api
"""
        return self.scene.config(more).replace("routes:\n", "routes:\n" + own)

    def running(
        self, *more: socket.socket, config: str | None = None
    ) -> AbstractAsyncContextManager[Sidecar]:
        """The sidecar, started with all of them and ``more``."""
        sockets = [self.data, self.admin, self.unix, *more]
        given = [f"{one.fileno()}:token-sidecar.socket" for one in sockets]
        return running(
            self.config() if config is None else config,
            self.scene.home,
            admin=self.scene.admin,
            environ=ENVIRON,
            program=(sys.executable, activation.__file__, *given, "--", *PROGRAM),
            pass_fds=[one.fileno() for one in sockets],
        )


@pytest.fixture
def sockets() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


def listening(sockets: ExitStack, at: str) -> socket.socket:
    family = socket.AF_UNIX if at.startswith("/") else socket.AF_INET
    host, _, port = at.partition(":")
    sock = sockets.enter_context(socket.socket(family, socket.SOCK_STREAM))
    sock.bind(at if family == socket.AF_UNIX else (host, int(port)))
    sock.listen(128)
    return sock


@pytest.fixture
def manager(scene: Scene, sockets: ExitStack) -> Manager:
    places = (scene.data, scene.admin, f"{scene.home}/route.sock")
    return Manager(scene, *(listening(sockets, at) for at in places))


@pytest.fixture
async def by_unix(scene: Scene) -> AsyncIterator[aiohttp.ClientSession]:
    connector = aiohttp.UnixConnector(f"{scene.home}/route.sock")
    async with aiohttp.ClientSession(connector=connector) as session:
        yield session


async def answered(client: aiohttp.ClientSession, url: str) -> int:
    async with client.get(url) as answer:
        await answer.read()
        return answer.status


async def test_who_connected_before_the_start_is_served(
    scene: Scene, manager: Manager, client: aiohttp.ClientSession, by_unix: aiohttp.ClientSession
) -> None:
    early = [
        asyncio.create_task(answered(client, scene.url + "/api/")),
        asyncio.create_task(answered(by_unix, "http://localhost/")),
    ]
    async with manager.running() as sidecar:
        await sidecar.ready()
        assert await asyncio.gather(*early) == [200, 200]
        assert await answered(client, scene.url + "/api/") == 200
        assert {one.target for one in scene.upstream.seen} == {"/v1/", "/own/"}
        assert await sidecar.stop() == 0


async def test_over_restarts_nobody_is_refused_and_the_file_stays(
    scene: Scene, manager: Manager, client: aiohttp.ClientSession, by_unix: aiohttp.ClientSession
) -> None:
    answers: list[int] = []
    over = asyncio.Event()

    async def ask() -> None:
        while not over.is_set():
            answers.append(await answered(client, scene.url + "/api/"))
            answers.append(await answered(by_unix, "http://localhost/"))

    asking = asyncio.create_task(ask())
    for _ in range(3):
        async with manager.running() as sidecar:
            await sidecar.ready()
            await until(partial(grown, answers, len(answers)), what="an answer in between")
            assert await sidecar.stop() == 0
    assert (scene.home / "route.sock").is_socket()
    async with manager.running() as sidecar:
        await sidecar.ready()
        over.set()
        await asking
    assert set(answers) == {200}


async def grown(answers: list[int], before: int) -> bool:
    return len(answers) > before


async def test_a_reload_keeps_them_and_takes_them_up_again(
    scene: Scene, manager: Manager, client: aiohttp.ClientSession, by_unix: aiohttp.ClientSession
) -> None:
    async with manager.running() as sidecar:
        await sidecar.ready()
        for round_, config in enumerate((scene.config(), manager.config(), manager.config()), 1):
            (scene.home / "config.yaml").write_text(config)
            sidecar.send(signal.SIGHUP)
            await until_reloaded(sidecar, round_)
            assert await answered(client, scene.url + "/api/") == 200
            assert (scene.home / "route.sock").is_socket()
        assert await answered(by_unix, "http://localhost/") == 200
        assert "nothing is served at the inherited unix:" in sidecar.err
        assert await sidecar.stop() == 0


async def until_reloaded(sidecar: Sidecar, times: int) -> None:
    async def reloaded() -> bool:
        return sidecar.err.count("the new configuration is at work") == times

    await until(reloaded, what="the reload")


async def test_one_that_nothing_listens_on_ends_the_start(
    manager: Manager, sockets: ExitStack
) -> None:
    extra = listening(sockets, "127.0.0.1:0")
    async with manager.running(extra) as sidecar:
        assert await sidecar.ended() == 1
        at = f"127.0.0.1:{extra.getsockname()[1]} (token-sidecar.socket)"
        assert f"the service manager opened {at}, where the configuration" in sidecar.err
        assert "Traceback" not in sidecar.err
