"""Starting, draining, reloading and being found, by the real process."""

from __future__ import annotations

import asyncio
import signal
import stat

import aiohttp
import pytest

from tests.e2e.conftest import ENVIRON, Scene
from tests.support.process import command, free_port, running, until

pytestmark = pytest.mark.parametrize("workers", [1, 2])


async def test_it_ends_with_0_when_asked_to(scene: Scene) -> None:
    async with scene.running() as sidecar:
        await sidecar.ready()
        assert await sidecar.stop() == 0
        assert sidecar.out == ""


async def test_what_runs_is_finished_and_nothing_new_is_accepted(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    scene.upstream.gate.clear()
    async with scene.running() as sidecar:
        await sidecar.ready()
        under_way = asyncio.create_task(client.get(scene.url + "/api/"))
        await until(lambda: _came(scene), what="the request at the upstream")
        sidecar.send(signal.SIGTERM)
        await until(scene.refused, what="the listener closed")
        assert (await sidecar.ask("/readyz")).text == '{"status": "draining"}'
        assert (await sidecar.ask("/healthz")).status == 200
        scene.upstream.gate.set()
        assert (await under_way).status == 200
        assert await sidecar.ended() == 0


async def test_during_the_delay_requests_are_served_and_told_to_close(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    async with scene.running(scene.config("drain: {delay: 5s}")) as sidecar:
        await sidecar.ready()
        sidecar.send(signal.SIGTERM)
        await until(lambda: sidecar.answers("/readyz", 503), what="/readyz 503")
        answer = await client.get(scene.url + "/api/")
        assert answer.status == 200
        assert answer.headers["Connection"] == "close"
        sidecar.send(signal.SIGTERM)
        assert await sidecar.ended() == 1


async def test_a_second_signal_ends_it_at_once(scene: Scene, client: aiohttp.ClientSession) -> None:
    scene.upstream.gate.clear()
    async with scene.running() as sidecar:
        await sidecar.ready()
        under_way = asyncio.create_task(client.get(scene.url + "/api/"))
        await until(lambda: _came(scene), what="the request at the upstream")
        sidecar.send(signal.SIGINT)
        await until(lambda: sidecar.answers("/readyz", 503), what="/readyz 503")
        sidecar.send(signal.SIGINT)
        assert await sidecar.ended() == 1
        with pytest.raises(aiohttp.ClientError):
            await under_way
        scene.upstream.gate.set()


async def test_what_outlasts_the_grace_is_cut(scene: Scene, client: aiohttp.ClientSession) -> None:
    scene.upstream.gate.clear()
    async with scene.running(scene.config("drain: {grace: 1s}")) as sidecar:
        await sidecar.ready()
        under_way = asyncio.create_task(client.get(scene.url + "/api/"))
        await until(lambda: _came(scene), what="the request at the upstream")
        assert await sidecar.stop() == 0
        with pytest.raises(aiohttp.ClientError):
            await under_way
        scene.upstream.gate.set()


async def test_a_reload_changes_the_routes_and_keeps_the_token(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    async with scene.running() as sidecar:
        await sidecar.ready()
        (scene.home / "config.yaml").write_text(scene.config().replace("/api/", "/new/"))
        sidecar.send(signal.SIGHUP)
        await sidecar.says("the new configuration is at work")
        assert (await client.get(scene.url + "/new/")).status == 200
        assert (await client.get(scene.url + "/api/")).status == 404
    assert scene.provider.asked == 1


async def test_a_bad_reload_is_reported_and_the_old_configuration_stays(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    async with scene.running() as sidecar:
        await sidecar.ready()
        (scene.home / "config.yaml").write_text(scene.config(route="    no_such_key: 1"))
        sidecar.send(signal.SIGHUP)
        await sidecar.says("reload_refused")
        assert "config.yaml:14:5: unknown key `no_such_key`" in sidecar.err
        assert (await client.get(scene.url + "/api/")).status == 200
    assert scene.provider.asked == 1


async def test_a_reload_that_can_not_listen_changes_nothing(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    async with scene.running() as sidecar:
        await sidecar.ready()
        taken = scene.provider.url.removeprefix("http://")
        changed = scene.config(f"metrics: {taken}").replace("/api/", "/new/")
        (scene.home / "config.yaml").write_text(changed)
        sidecar.send(signal.SIGHUP)
        await sidecar.says("the port is in use")
        assert (await client.get(scene.url + "/api/")).status == 200


async def test_a_reload_moves_a_listener_whose_address_changed(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    moved = f"127.0.0.1:{free_port()}"
    async with scene.running() as sidecar:
        await sidecar.ready()
        (scene.home / "config.yaml").write_text(scene.config().replace(scene.data, moved))
        sidecar.send(signal.SIGHUP)
        await sidecar.says("the new configuration is at work")
        assert (await client.get(f"http://{moved}/api/")).status == 200
        assert await scene.refused()
        assert await sidecar.stop() == 0


async def test_a_changed_secret_ends_a_refusal_at_the_reload(scene: Scene) -> None:
    secret = scene.home / "secret"
    secret.write_text("wrong")
    secret.chmod(0o600)
    config = scene.config().replace("{env: API_SECRET}", f"{{file: {secret}}}")
    async with scene.running(config) as sidecar:
        await sidecar.says("invalid_client")
        secret.write_text(ENVIRON["API_SECRET"])
        sidecar.send(signal.SIGHUP)
        await sidecar.ready()


async def test_the_commands_find_it_by_its_configuration_file(scene: Scene) -> None:
    config = str(scene.home / "config.yaml")
    (scene.home / "config.yaml").write_text(scene.config())
    before = await command("healthcheck", "--config", config, home=scene.home)
    assert before.code == 1
    async with scene.running() as sidecar:
        await sidecar.ready()
        assert stat.S_IMODE(sidecar.own_socket.stat().st_mode) == 0o600
        assert stat.S_IMODE(sidecar.own_socket.parent.stat().st_mode) == 0o700
        assert (await sidecar.ask("/readyz", own=True)).status == 200
        found = await command("healthcheck", "--ready", "--config", "config.yaml", home=scene.home)
        assert (found.code, found.out) == (0, '{"status": "ready"}\n')
        await sidecar.stop()
    assert (await command("healthcheck", "--config", config, home=scene.home)).code == 1


async def test_what_a_killed_one_left_behind_does_not_stop_the_next(scene: Scene) -> None:
    config = scene.config().replace(f"listen: {scene.data}", "listen: unix:data.sock")
    async with scene.running(config) as sidecar:
        await sidecar.ready()
        sidecar.send(signal.SIGKILL)
        await sidecar.ended()
        assert sidecar.own_socket.is_socket()
    async with scene.running(config) as sidecar:
        await sidecar.ready()
        assert (await sidecar.ask("/healthz", own=True)).status == 200


async def test_reloads_in_quick_succession_end_with_the_last_configuration(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    async with scene.running() as sidecar:
        await sidecar.ready()
        for path in ("/one/", "/two/", "/three/"):
            (scene.home / "config.yaml").write_text(scene.config().replace("/api/", path))
            sidecar.send(signal.SIGHUP)

        async def is_last() -> bool:
            async with client.get(scene.url + "/three/") as answer:
                return answer.status == 200

        await until(is_last, what="the last configuration at work")
        assert await sidecar.stop() == 0
    assert scene.provider.asked == 1


async def test_it_is_found_in_a_state_directory_of_its_own_choice(scene: Scene) -> None:
    environ = {**ENVIRON, "XDG_RUNTIME_DIR": ""}
    (scene.home / "config.yaml").write_text(scene.config("state_dir: own-state"))

    async with running(
        scene.home / "config.yaml", scene.home, admin=scene.admin, environ=environ
    ) as sidecar:
        await sidecar.ready()
        found = await command(
            "healthcheck",
            home=scene.home,
            environ={"XDG_RUNTIME_DIR": "", "TOKEN_SIDECAR_CONFIG": "config.yaml"},
        )
        assert (found.code, found.err) == (0, "")


async def _came(scene: Scene) -> bool:
    return bool(scene.upstream.seen)
