"""A reload that is half done when the process is told to end."""

from __future__ import annotations

import asyncio
import json
import os
import signal

import pytest

from tests.e2e.conftest import Scene
from tests.support.process import free_port, until


@pytest.fixture
def workers() -> int:
    return 2


async def test_it_is_dropped_and_what_it_had_opened_is_closed(scene: Scene) -> None:
    more = free_port()
    config = scene.config("drain: {delay: 2s}")
    async with scene.running(config) as sidecar:
        await scene.at_work(sidecar)
        stuck = json.loads((await sidecar.ask("/v1/status")).text)["workers"][0]["pid"]

        async def proposed() -> bool:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", more)
            except OSError:
                return False
            writer.close()
            return True

        os.kill(stuck, signal.SIGSTOP)  # it is asked whether it can serve this, and says nothing
        both = f"listen: ['{scene.data}', '127.0.0.1:{more}']"
        (scene.home / "config.yaml").write_text(config.replace(f"listen: {scene.data}", both))
        sidecar.send(signal.SIGHUP)
        await until(proposed, what="the new listener bound")
        sidecar.send(signal.SIGTERM)
        await until(lambda: sidecar.answers("/readyz", 503), what="/readyz 503")
        os.kill(stuck, signal.SIGCONT)
        await sidecar.says("on its way out: nothing is reloaded any more")
        assert not await proposed()
        assert "the new configuration is at work" not in sidecar.err
        assert await sidecar.ended() == 0
        assert "Traceback" not in sidecar.err
