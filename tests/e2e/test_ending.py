"""Asked to end at an awkward moment: while it starts, while it reads its configuration again."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from contextlib import suppress
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.conftest import Scene
from tests.support.process import until

pytestmark = pytest.mark.parametrize("workers", [1, 2])
BOTH = (signal.SIGTERM, signal.SIGINT)


class Pipe:
    """A file whose reader waits until somebody writes: what reads it is caught in the act."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._descriptor = -1
        path.unlink(missing_ok=True)
        os.mkfifo(path, 0o600)

    async def is_read(self) -> bool:
        """Whether somebody reads; who does goes on waiting."""
        try:
            self._descriptor = os.open(self._path, os.O_WRONLY | os.O_NONBLOCK)
        except OSError:
            return False
        return True

    def close(self) -> None:
        os.close(self._descriptor)


@pytest.mark.parametrize("number", BOTH)
async def test_while_it_waits_for_its_configuration(scene: Scene, number: signal.Signals) -> None:
    pipe = Pipe(scene.home / "config.yaml")
    async with scene.running(scene.home / "config.yaml") as sidecar:
        await until(pipe.is_read, what="somebody reading the configuration")
        sidecar.send(number)
        assert await sidecar.ended() == 0
        assert sidecar.err == ""
    pipe.close()


@pytest.mark.parametrize("number", BOTH)
async def test_while_it_waits_for_a_secret(scene: Scene, number: signal.Signals) -> None:
    slow = f"touch {scene.home}/asked; exec sleep 60"
    config = scene.config().replace("{env: API_SECRET}", f'{{command: [sh, -c, "{slow}"]}}')
    async with scene.running(config) as sidecar:

        async def asked() -> bool:
            return (scene.home / "asked").exists()

        await until(asked, what="the command at work")
        sidecar.send(number)
        assert await sidecar.ended() == 0
        assert "it was told to end before it had started" in sidecar.err
        assert await scene.refused()
        assert "Traceback" not in sidecar.err
    assert scene.provider.asked == 0


async def test_while_a_reload_runs_it_does_not_wait_for_it(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    scene.upstream.gate.clear()
    async with scene.running(scene.config("drain: {delay: 1s}")) as sidecar:
        await scene.at_work(sidecar)
        under_way = asyncio.create_task(client.get(scene.url + "/api/"))

        async def came() -> bool:
            return bool(scene.upstream.seen)

        await until(came, what="the request at the upstream")
        pipe = Pipe(scene.home / "config.yaml")
        sidecar.send(signal.SIGHUP)
        await until(pipe.is_read, what="somebody reading the configuration")
        sidecar.send(signal.SIGTERM)
        await until(lambda: sidecar.answers("/readyz", 503), deadline=3, what="/readyz 503")
        async with client.get(scene.url + "/nowhere") as late:
            assert late.headers["Connection"] == "close"
        scene.upstream.gate.set()
        assert (await under_way).status == 200
        assert await sidecar.ended() == 0
        assert "Traceback" not in sidecar.err
    pipe.close()


async def test_a_second_signal_cuts_off_a_reload_too(scene: Scene) -> None:
    async with scene.running(scene.config("drain: {delay: 60s}")) as sidecar:
        await sidecar.ready()
        pipe = Pipe(scene.home / "config.yaml")
        sidecar.send(signal.SIGHUP)
        await until(pipe.is_read, what="somebody reading the configuration")
        sidecar.send(signal.SIGTERM)
        await until(lambda: sidecar.answers("/readyz", 503), what="/readyz 503")
        sidecar.send(signal.SIGTERM)
        assert await sidecar.ended() == 1
    pipe.close()


async def test_whoever_goes_on_sending_signals_gets_a_clear_exit_code(scene: Scene) -> None:
    async with scene.running() as sidecar:
        await sidecar.ready()
        process = os.pidfd_open(sidecar.pid)  # never anybody else's who got its number
        ended = asyncio.create_task(sidecar.ended())
        while not ended.done():
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(process, signal.SIGTERM)
            await asyncio.sleep(0.0005)
        os.close(process)
        assert ended.result() in {0, 1}
        assert "Traceback" not in sidecar.err


@pytest.mark.parametrize("key", ["admin", "metrics"])
async def test_where_a_port_is_taken_nothing_starts(scene: Scene, key: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        at = f"127.0.0.1:{taken.getsockname()[1]}"
        config = scene.config() if key == "admin" else scene.config(f"metrics: {at}")
        if key == "admin":
            config = config.replace(f"admin: {scene.admin}", f"admin: {at}")
        async with scene.running(config) as sidecar:
            assert await sidecar.ended() == 1
            assert sidecar.err == (
                f"token-sidecar: {key}: can't listen on {at}: the port is in use; "
                "stop the program that has it or choose another port\n"
            )
            assert await scene.refused()
    assert scene.provider.asked == 0
