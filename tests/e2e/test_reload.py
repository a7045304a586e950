"""Reloads of the real process: by its file, by the control plane, by the commands."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import ssl
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.conftest import SECRET, Scene
from tests.support.certificates import Authority
from tests.support.process import Sidecar, command, free_port, until

pytestmark = pytest.mark.parametrize("workers", [1, 2])
KEYED = "clients: {me: {key: {env: API_SECRET}}}"
EFFECT = 2.0
"""Seconds in which a change of the file is in effect."""


def write(scene: Scene, text: str) -> None:
    """As editors do: a new file in the old one's place."""
    new = scene.home / "new.yaml"
    new.write_text(text)
    new.replace(scene.home / "config.yaml")


async def posted(sidecar: Sidecar, target: str = "/v1/reload") -> tuple[int, dict[str, Any]]:
    connector = aiohttp.UnixConnector(str(sidecar.own_socket))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.post("http://localhost" + target, headers={"X-Token-Sidecar": "1"}) as answer,
    ):
        return answer.status, await answer.json(content_type=None)


async def serves(client: aiohttp.ClientSession, url: str) -> bool:
    async with client.get(url) as answer:
        return answer.status == 200


async def test_a_changed_file_is_in_effect_within_two_seconds(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    async with scene.running() as sidecar:
        await scene.at_work(sidecar)
        for path in ("/one/", "/two/", "/three/"):
            write(scene, scene.config().replace("/api/", path))
            loop = asyncio.get_running_loop()
            begun = loop.time()
            await until(lambda path=path: serves(client, scene.url + path), what=path)
            print(f"in effect after {loop.time() - begun:.2f} s")  # noqa: T201 - to look at
            assert loop.time() - begun < 2 * EFFECT  # this machine does other things as well
        told = json.loads((await sidecar.ask("/v1/status")).text)
        assert told["reloads"]["applied"] == 3
        assert told["credentials"]["api"]["generation"] == 1
        assert (
            'token_sidecar_config_reloads_total{result="applied"} 3.0'
            in (await sidecar.ask("/metrics")).text
        )
    assert scene.provider.asked == 1


async def test_kubernetes_swap_of_the_mounted_directory_is_seen(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    mount = scene.home / "mount"
    for name, path in (("..1", "/api/"), ("..2", "/new/")):
        (mount / name).mkdir(parents=True)
        (mount / name / "config.yaml").write_text(scene.config().replace("/api/", path))
    (mount / "..data").symlink_to("..1")
    (mount / "config.yaml").symlink_to("..data/config.yaml")
    async with scene.running(mount / "config.yaml") as sidecar:
        await scene.at_work(sidecar)
        (mount / "..tmp").symlink_to("..2")
        (mount / "..tmp").replace(mount / "..data")
        shutil.rmtree(mount / "..1")
        await until(lambda: serves(client, scene.url + "/new/"), what="the new route")
        found = await command("reload", "--config", str(mount / "config.yaml"), home=scene.home)
        assert (found.code, found.out) == (0, "nothing changed: what runs is what the file says\n")


async def test_one_wrong_key_among_500_is_told_with_its_place_and_counted(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    async with scene.running() as sidecar:
        await scene.at_work(sidecar)
        routes = "".join(
            f"  - {{path: /r{number}/, upstream: {scene.upstream.url}/, credential: api}}\n"
            for number in range(500)
        )
        wrong = scene.config(
            route=routes.replace("path: /r250/, upstream", "path: /r250/, upstraem")
        )
        write(scene, wrong)
        await sidecar.says("reload_refused")
        line = next(n for n, text in enumerate(wrong.splitlines(), 1) if "upstraem" in text)
        assert f"config.yaml:{line}:" in sidecar.err
        assert "upstraem" in sidecar.err
        page = (await sidecar.ask("/metrics")).text
        assert 'token_sidecar_config_reloads_total{result="refused"} 1.0' in page
        assert "token_sidecar_config_last_reload_successful 0.0" in page
        told = json.loads((await sidecar.ask("/v1/status")).text)["reloads"]
        assert not told["last_ok"]
        assert "upstraem" in told["problems"][0]
        assert await serves(client, scene.url + "/api/")
        write(scene, scene.config(route=routes))
        await until(lambda: serves(client, scene.url + "/r499/"), what="the last route")
        page = (await sidecar.ask("/metrics")).text
        assert "token_sidecar_config_last_reload_successful 1.0" in page


async def test_who_posts_is_told_what_changed_or_what_is_wrong(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    async with scene.running() as sidecar:
        await scene.at_work(sidecar)
        write(scene, scene.config(credential="    scope: more").replace("/api/", "/new/"))
        status, said = await posted(sidecar)
        assert status == 200
        assert said["credentials"]["restarted"] == [
            {"name": "api", "because": ["scope"], "token": "new"}
        ]
        assert said["routes"]["added"] == ["/new/"]
        assert said["routes"]["removed"] == ["/api/"]
        assert await serves(client, scene.url + "/new/")
        write(scene, scene.config("hold: soon"))
        status, said = await posted(sidecar)
        assert status == 422
        assert [one["line"] for one in said["problems"]] == [3]
        assert await serves(client, scene.url + "/new/")
        async with client.post(f"http://{scene.admin}/v1/reload") as answer:
            assert answer.status == 403
        async with client.get(f"http://{scene.admin}/v1/reload") as answer:
            assert answer.status == 405


async def test_the_answer_comes_even_where_the_reload_moves_the_control_plane(
    scene: Scene,
) -> None:
    moved = f"127.0.0.1:{free_port()}"
    async with scene.running(scene.config(KEYED)) as sidecar:
        await scene.at_work(sidecar)
        write(
            scene,
            scene.config(KEYED).replace(scene.admin, moved),
        )
        fields = {"X-Token-Sidecar": "1", "X-Token-Sidecar-Key": SECRET}
        async with (
            aiohttp.ClientSession() as session,
            session.post(f"http://{scene.admin}/v1/reload", headers=fields) as answer,
        ):
            said = await answer.json()
        assert said["listeners"]["opened"] == [f"admin {moved}"]
        assert said["listeners"]["closed"] == [f"admin {scene.admin}"]
        assert await sidecar.stop() == 0


async def test_an_admin_port_of_somebody_else_leaves_everything_as_it_was(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    async with scene.running() as sidecar:
        await scene.at_work(sidecar)
        taken = scene.provider.url.removeprefix("http://")
        write(scene, scene.config().replace(scene.admin, taken).replace("/api/", "/new/"))
        status, said = await posted(sidecar)
        assert status == 422
        assert "the port is in use" in said["problems"][0]["message"]
        assert (await sidecar.ask("/healthz")).status == 200
        assert await serves(client, scene.url + "/api/")


async def test_the_commands_reload_and_tell(scene: Scene) -> None:
    config = str(scene.home / "config.yaml")
    async with scene.running() as sidecar:
        await scene.at_work(sidecar)
        (scene.home / "next.yaml").write_text(
            scene.config("hold: 3s", credential="    scope: more").replace("/api/", "/new/")
        )
        told = await command("diff", "next.yaml", "--config", config, home=scene.home)
        assert told.code == 0, told.err
        assert told.out.splitlines() == [
            "~ credential api: restarted with a new token: scope",
            f"  listen {scene.data}: stays open",
            f"  admin {scene.admin}: stays open",
            "+ route /new/: added",
            "- route /api/: removed",
            "~ hold: changed",
        ]
        coded = await command(
            "diff", "next.yaml", "--exit-code", "--json", "--config", config, home=scene.home
        )
        assert (coded.code, json.loads(coded.out)["changed"]) == (1, True)
        bad = scene.home / "bad.yaml"
        bad.write_text(scene.config("hold: soon"))
        refused = await command("diff", "bad.yaml", "--config", config, home=scene.home)
        assert refused.code == 2
        assert "bad.yaml:3:7: `hold`" in refused.err
        assert (await command("reload", "--config", config, home=scene.home)).out == (
            "nothing changed: what runs is what the file says\n"
        )
        (scene.home / "next.yaml").replace(scene.home / "config.yaml")
        done = await command("reload", "--json", "--config", config, home=scene.home)
        assert done.code == 0
        assert "hold: 3s" in (scene.home / "config.yaml").read_text()
        (scene.home / "config.yaml").write_text(scene.config("hold: soon"))
        refused = await command("reload", "--config", config, home=scene.home)
        assert refused.code == 2
        assert f"{config}:3:7: `hold`" in refused.err
        assert "the old configuration stays" in refused.err
        told_all = told.out + coded.out + done.out + refused.err + sidecar.err
        assert SECRET not in told_all
        (scene.home / "config.yaml").write_text(scene.config("hold: 3s"))
        await sidecar.stop()
    gone = await command("reload", "--config", config, home=scene.home)
    assert (gone.code, gone.err) == (1, f"no sidecar runs with {config}\n")
    (scene.home / "next.yaml").write_text(scene.config("hold: 4s"))
    alone = await command("diff", "next.yaml", "--config", config, home=scene.home)
    assert (alone.code, alone.out.splitlines()[-1]) == (0, "~ hold: changed")
    assert "compared with" in alone.err


async def test_a_rotated_certificate_is_shown_to_the_next_and_cuts_nobody(
    scene: Scene, tmp_path: Path
) -> None:
    authority = Authority(tmp_path)
    pair = authority.issue()
    files = f"cert_file: {pair.cert_file}, key_file: {pair.key_file}"
    tls = f"{{address: '{scene.data}', tls: {{{files}}}}}"
    trust = ssl.create_default_context(cafile=str(authority.ca_file))
    config = scene.config().replace(f"listen: {scene.data}", f"listen: {tls}")
    async with scene.running(config) as sidecar:
        await scene.at_work(sidecar)
        host, port = scene.data.split(":")

        async def shown() -> bytes:
            _, writer = await asyncio.open_connection(
                host, int(port), ssl=trust, server_hostname="localhost"
            )
            found = writer.get_extra_info("ssl_object").getpeercert(True)
            writer.close()
            await writer.wait_closed()
            return bytes(found)

        before = await shown()
        reader, writer = await asyncio.open_connection(
            host, int(port), ssl=trust, server_hostname="localhost"
        )
        authority.issue()

        async def another() -> bool:
            return await shown() != before

        await until(another, what="the new certificate")
        writer.write(b"GET /api/ HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 200")
        writer.close()
        assert (
            json.loads((await sidecar.ask("/v1/status")).text)["credentials"]["api"]["generation"]
            == 1
        )


async def test_a_request_at_a_listener_that_goes_ends_as_it_began(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    moved = f"127.0.0.1:{free_port()}"
    async with scene.running() as sidecar:
        await scene.at_work(sidecar)
        scene.upstream.gate.clear()
        under_way = asyncio.create_task(client.get(scene.url + "/api/"))

        async def came() -> bool:
            return bool(scene.upstream.seen)

        await until(came, what="the request at the upstream")
        write(scene, scene.config().replace(scene.data, moved))
        async with asyncio.timeout(30):
            status, _ = await posted(sidecar)
        assert status == 200
        assert await scene.refused()
        await asyncio.sleep(1.5)  # longer than closed connections are left to linger
        scene.upstream.gate.set()
        async with await under_way as answer:
            assert answer.status == 200
        assert await sidecar.stop() == 0


async def test_a_signal_and_a_changed_file_together_reload_once(scene: Scene) -> None:
    async with scene.running() as sidecar:
        await scene.at_work(sidecar)
        write(scene, scene.config("hold: 3s"))
        sidecar.send(signal.SIGHUP)
        await sidecar.says("changed hold")
        await asyncio.sleep(EFFECT)  # long enough for the watch to have seen it too
        assert sidecar.err.count("is at work: ") == 1
