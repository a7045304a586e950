"""A pod's Job that ends: what stays of the sidecar beside it, by ``/quitquitquit`` or a signal."""

from __future__ import annotations

import asyncio
import signal
import sys

import aiohttp
import pytest

from tests.e2e.conftest import ENVIRON, Scene
from tests.support.process import command, until

QUITTABLE = "quitquitquit: true"
MAIN = """
import sys, urllib.request
data, admin = sys.argv[1:]
for number in range(20):
    body = b"%d" % number * 1000
    assert urllib.request.urlopen(f"http://{data}/api/{number}", body).status == 200
sys.exit(urllib.request.urlopen(f"http://{admin}/quitquitquit", b"").status != 202)
"""
"""A Job's program: some work through the sidecar, then its word that no more will come."""


@pytest.mark.parametrize("workers", [1, 2])
async def test_the_sidecar_of_a_job_ends_with_0_after_its_program(scene: Scene) -> None:
    async with scene.running(scene.config(QUITTABLE)) as sidecar:
        await sidecar.ready()
        main = await asyncio.create_subprocess_exec(
            sys.executable, "-c", MAIN, scene.data, scene.admin
        )
        assert await main.wait() == 0
        assert await sidecar.ended() == 0
        assert "Traceback" not in sidecar.err
    assert len(scene.upstream.seen) == 20


@pytest.mark.parametrize("workers", [1, 2])
async def test_as_a_native_sidecar_it_ends_with_0_by_the_signal_that_follows_the_program(
    scene: Scene,
) -> None:
    async with scene.running() as sidecar:
        await sidecar.ready()
        assert await sidecar.stop() == 0


@pytest.mark.parametrize("workers", [1, 2])
async def test_what_runs_is_finished_first(scene: Scene, client: aiohttp.ClientSession) -> None:
    scene.upstream.gate.clear()
    async with scene.running(scene.config(QUITTABLE)) as sidecar:
        await sidecar.ready()
        under_way = asyncio.create_task(client.get(scene.url + "/api/"))

        async def came() -> bool:
            return bool(scene.upstream.seen)

        await until(came, what="the request at the upstream")
        assert (await sidecar.ask("/quitquitquit", method="POST")).status == 202
        await until(scene.refused, what="the listener closed")
        # said again, as by a script that tries until nobody answers, it cuts nothing off
        assert (await sidecar.ask("/quitquitquit", method="POST", own=True)).status == 202
        assert (await sidecar.ask("/readyz")).text == '{"status": "draining"}'
        scene.upstream.gate.set()
        assert (await under_way).status == 200
        assert await sidecar.ended() == 0


async def test_a_reload_switches_it_on_and_off(scene: Scene) -> None:
    async with scene.running() as sidecar:
        await sidecar.ready()
        assert (await sidecar.ask("/quitquitquit", method="POST")).status == 404
        (scene.home / "config.yaml").write_text(scene.config(QUITTABLE))
        sidecar.send(signal.SIGHUP)
        await sidecar.says("the new configuration is at work")
        assert (await sidecar.ask("/quitquitquit")).status == 405
        assert (await sidecar.ask("/quitquitquit", method="POST")).status == 202
        assert await sidecar.ended() == 0


async def test_a_programs_own_sidecar_ends_with_it_and_by_nothing_else(scene: Scene) -> None:
    (scene.home / "config.yaml").write_text(scene.config(QUITTABLE))
    script = (
        'curl -so /dev/null -w "%{http_code} " -X POST "$TOKEN_SIDECAR_URL/quitquitquit";'
        'curl -so /dev/null -w "%{http_code}" "${TOKEN_SIDECAR_URL}/api/"; exit 7'
    )
    done = await command(
        "exec", "--proxy", "api", "--", "sh", "-c", script,
        home=scene.home, environ={**ENVIRON, "TOKEN_SIDECAR_CONFIG": "config.yaml"},
    )  # fmt: skip
    assert (done.out, done.code) == ("404 200", 7)
