"""Several workers, one set of tokens: what one process does, they do together."""

from __future__ import annotations

import asyncio
import collections
import json
import os
import signal
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.e2e.conftest import SECRET, Scene
from tests.support.process import Sidecar, until
from tests.support.upstream import Seen

CONNECTIONS = 24


@pytest.fixture
def workers() -> int:
    return 2


async def status(sidecar: Sidecar) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((await sidecar.ask("/v1/status")).text)
    return told


async def staffed(sidecar: Sidecar, but: frozenset[int] = frozenset()) -> list[int]:
    """The workers' process ids, once there are two that serve and are none of ``but``."""
    pids: list[int] = []

    async def complete() -> bool:
        pids[:] = [worker["pid"] for worker in (await status(sidecar))["workers"]]
        at_work = sidecar.err.count(": at work")
        return len(pids) == 2 and not but & set(pids) and at_work == 2 + len(but)

    await until(complete, what="two workers at work")
    return pids


async def one_each(scene: Scene, rounds: int, target: str = "/api/") -> collections.Counter[int]:
    """So many connections, each asking in turn; how often each status came."""
    answers: collections.Counter[int] = collections.Counter()

    async def client() -> None:
        async with aiohttp.ClientSession() as own:
            for _ in range(rounds):
                async with own.get(scene.url + target) as answer:
                    await answer.read()
                    answers[answer.status] += 1

    await asyncio.gather(*(client() for _ in range(CONNECTIONS)))
    return answers


async def test_short_lived_tokens_are_asked_for_once_and_the_work_is_shared(scene: Scene) -> None:
    scene.provider.lifetime = 2
    async with scene.running() as sidecar:
        await sidecar.ready()
        await staffed(sidecar)
        loop = asyncio.get_running_loop()
        begun, answers = loop.time(), collections.Counter[int]()
        while loop.time() - begun < 6:
            answers += await one_each(scene, 4)
        elapsed = loop.time() - begun
        told = await status(sidecar)
    shares = [worker["requests"] for worker in told["workers"]]
    print(f"shares {shares} of {answers.total()}")  # noqa: T201 - a figure to look at
    assert set(answers) == {200}
    assert sum(shares) == answers.total()
    assert max(shares) <= 0.6 * sum(shares)
    assert scene.provider.busiest == 1
    # a renewal after at least 0.6 of each life, and the first one
    assert 3 <= scene.provider.asked <= elapsed / (0.6 * 2) + 2
    assert told["credentials"]["api"]["generation"] == scene.provider.asked


async def test_totals_are_those_of_all_workers_and_survive_one(scene: Scene) -> None:
    async with scene.running() as sidecar:
        await sidecar.ready()
        pids = await staffed(sidecar)
        answers = await one_each(scene, 3) + await one_each(scene, 1, "/nowhere")
        assert answers == {200: 3 * CONNECTIONS, 404: CONNECTIONS}
        line = f'token_sidecar_requests_total{{code="200",route="/api/"}} {float(3 * CONNECTIONS)}'
        assert line in (await sidecar.ask("/metrics")).text
        told = await status(sidecar)
        assert told["routes"]["/api/"]["requests"] == {"200": 3 * CONNECTIONS}
        os.kill(pids[0], signal.SIGKILL)
        await staffed(sidecar, frozenset({pids[0]}))
        page = (await sidecar.ask("/metrics")).text
        assert line in page
        assert "token_sidecar_workers 2.0" in page
        assert "token_sidecar_worker_deaths_total 1.0" in page


async def test_a_killed_worker_is_replaced_and_the_tokens_stay(scene: Scene) -> None:
    async with scene.running() as sidecar:
        await sidecar.ready()
        gone: frozenset[int] = frozenset()
        for _ in range(2):
            pid = (await staffed(sidecar, gone))[0]
            os.kill(pid, signal.SIGKILL)
            gone |= {pid}
            await sidecar.says(f"worker_died pid={pid}")
            # whoever is left serves at once what is new
            assert await one_each(scene, 1) == {200: CONNECTIONS}
            assert (await sidecar.ask("/healthz")).status == 200
        await staffed(sidecar, gone)
        assert await one_each(scene, 2) == {200: 2 * CONNECTIONS}
        assert await sidecar.stop() == 0
    assert scene.provider.asked == 1


async def test_without_any_worker_requests_wait_for_the_next(scene: Scene) -> None:
    async with scene.running() as sidecar:
        await sidecar.ready()
        for pid in await staffed(sidecar):
            os.kill(pid, signal.SIGKILL)
        assert await one_each(scene, 1) == {200: CONNECTIONS}
    assert scene.provider.asked == 1


async def test_a_storm_of_401s_over_all_workers_costs_one_token_request(scene: Scene) -> None:
    def judge(seen: Seen) -> web.Response:
        return web.Response(status=200 if seen.all("Authorization") == ["Bearer token-2"] else 401)

    async with scene.running() as sidecar:
        await sidecar.ready()
        await staffed(sidecar)
        scene.upstream.answer = judge
        assert await one_each(scene, 2) == {200: 2 * CONNECTIONS}
        assert scene.provider.asked == 2
        scene.upstream.answer = lambda _: web.Response(status=401)
        assert await one_each(scene, 4) == {401: 4 * CONNECTIONS}
        told = (await status(sidecar))["credentials"]["api"]
    assert scene.provider.asked == 2
    assert (told["generation"], told["rejections"]) == (2, 1)


async def test_a_reload_reaches_all_workers_while_requests_are_under_way(scene: Scene) -> None:
    async with scene.running() as sidecar:
        await sidecar.ready()
        await staffed(sidecar)
        scene.upstream.gate.clear()
        under_way = asyncio.create_task(one_each(scene, 1))
        await until(lambda: _came(scene, CONNECTIONS), what="the requests at the upstream")
        (scene.home / "config.yaml").write_text(scene.config().replace("/api/", "/new/"))
        sidecar.send(signal.SIGHUP)
        await sidecar.says("the new configuration is at work")
        scene.upstream.gate.set()
        assert await under_way == {200: CONNECTIONS}
        assert await one_each(scene, 1, "/new/") == {200: CONNECTIONS}
        assert await one_each(scene, 1, "/api/") == {404: CONNECTIONS}
    assert scene.provider.asked == 1


async def test_all_workers_finish_what_runs_before_the_end(scene: Scene) -> None:
    scene.upstream.gate.clear()
    async with scene.running() as sidecar:
        await sidecar.ready()
        pids = await staffed(sidecar)
        under_way = asyncio.create_task(one_each(scene, 1))
        await until(lambda: _came(scene, CONNECTIONS), what="the requests at the upstream")
        for pid in pids:
            os.kill(pid, signal.SIGTERM)  # the whole group may be told: workers do not mind
        sidecar.send(signal.SIGTERM)
        await until(lambda: sidecar.answers("/readyz", 503), what="/readyz 503")
        scene.upstream.gate.set()
        assert await under_way == {200: CONNECTIONS}
        assert await sidecar.ended() == 0
    assert not any(_alive(pid) for pid in pids)


async def test_workers_end_with_their_supervisor_however_it_ends(scene: Scene) -> None:
    async with scene.running() as sidecar:
        await sidecar.ready()
        pids = await staffed(sidecar)
        sidecar.send(signal.SIGKILL)
        await sidecar.ended()

        async def gone() -> bool:
            return not any(_alive(pid) for pid in pids)

        await until(gone, what="no worker alive")


async def test_unix_sockets_and_routes_own_listeners_are_shared_too(scene: Scene) -> None:
    path = scene.home / "data.sock"
    config = scene.config(route=f"    listen: unix:{path}")
    async with scene.running(config) as sidecar:
        await sidecar.ready()
        await staffed(sidecar)
        for _ in range(CONNECTIONS):
            async with (
                aiohttp.ClientSession(connector=aiohttp.UnixConnector(str(path))) as own,
                own.get("http://localhost/api/") as answer,
            ):
                assert answer.status == 200
        shares = [worker["requests"] for worker in (await status(sidecar))["workers"]]
        assert sum(shares) == CONNECTIONS
        assert max(shares) <= 0.6 * CONNECTIONS
        assert await sidecar.stop() == 0
    assert not path.exists()


async def test_no_worker_shows_a_secret_and_none_can_be_dumped(scene: Scene) -> None:
    async with scene.running(scene.config("log: {level: debug}")) as sidecar:
        await sidecar.ready()
        for pid in await staffed(sidecar):
            process = Path("/proc") / str(pid)
            assert SECRET.encode() not in (process / "cmdline").read_bytes()
            core = next(
                line for line in (process / "limits").read_text().splitlines() if "core" in line
            )
            assert core.split()[4:6] == ["0", "0"]
            # what may not be dumped belongs to root: another process of ours can't read it
            assert (process / "environ").stat().st_uid == 0
        await one_each(scene, 1)
        assert SECRET not in sidecar.err
        assert scene.provider.issued[0] not in sidecar.err


async def _came(scene: Scene, count: int) -> bool:
    return len(scene.upstream.seen) >= count


def _alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False
