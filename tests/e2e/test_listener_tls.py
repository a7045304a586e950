"""TLS on the data plane's listener, by the real process: served, renewed, refused."""

from __future__ import annotations

import asyncio
import shutil
import signal
import ssl
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.conftest import ENVIRON, Scene
from tests.support.certificates import Authority
from tests.support.process import command, until

TLS = "{cert_file: own.pem, key_file: own.key}"


@pytest.fixture
def workers(request: pytest.FixtureRequest) -> int:
    return int(getattr(request, "param", 1))


@pytest.fixture
def authority(home: Path) -> Authority:
    return Authority(home)


def renew(authority: Authority, home: Path) -> None:
    pair = authority.issue()
    shutil.copy(pair.cert_file, home / "own.pem")
    shutil.copy(pair.key_file, home / "own.key")


def secured(scene: Scene, tls: str = TLS) -> str:
    listener = f"{{address: '{scene.data}', tls: {tls}}}"
    return scene.config().replace(f"listen: {scene.data}", f"listen: {listener}")


async def serial(scene: Scene, authority: Authority) -> str:
    host, port = scene.data.split(":")
    _, writer = await asyncio.open_connection(
        host, int(port), ssl=authority.client_context(), server_hostname="localhost"
    )
    shown: str = writer.get_extra_info("peercert")["serialNumber"]
    writer.close()
    await writer.wait_closed()
    return shown


@pytest.mark.parametrize("workers", [1, 2], indirect=True)
async def test_a_reload_shows_a_renewed_certificate(
    scene: Scene, authority: Authority, client: aiohttp.ClientSession
) -> None:
    renew(authority, scene.home)
    async with scene.running(secured(scene)) as sidecar:
        await sidecar.ready()
        url = f"https://{scene.data}/api/"
        trusting = authority.client_context()
        async with client.get(url, ssl=trusting) as answer:
            assert answer.status == 200
        before = await serial(scene, authority)
        renew(authority, scene.home)
        sidecar.send(signal.SIGHUP)

        async def renewed() -> bool:
            return await serial(scene, authority) != before

        await until(renewed, what="the new certificate")
        async with client.get(url, ssl=trusting) as answer:  # on the connection that was open
            assert answer.status == 200


async def test_a_reload_with_a_broken_certificate_keeps_the_old_one(
    scene: Scene, authority: Authority
) -> None:
    renew(authority, scene.home)
    async with scene.running(secured(scene)) as sidecar:
        await sidecar.ready()
        before = await serial(scene, authority)
        (scene.home / "own.pem").write_text("no certificate")
        sidecar.send(signal.SIGHUP)
        await sidecar.says("the old configuration stays")
        assert "own.pem" in sidecar.err
        assert await serial(scene, authority) == before


async def test_tls_is_not_turned_off_by_a_reload(scene: Scene, authority: Authority) -> None:
    renew(authority, scene.home)
    async with scene.running(secured(scene)) as sidecar:
        await sidecar.ready()
        (scene.home / "config.yaml").write_text(scene.config())
        sidecar.send(signal.SIGHUP)
        await sidecar.says(f"TLS on {scene.data} changes with the next start only")
        await serial(scene, authority)


@pytest.mark.parametrize(
    ("tls", "said"),
    [
        ("{cert_file: nowhere.pem}", "`cert_file` names a file that is not there"),
        ("{cert_file: own.key, key_file: own.pem}", "are no PEM certificate"),
        ("{cert_file: own.pem, key_file: ca.pem}", "are no PEM certificate"),
    ],
)
async def test_a_certificate_that_can_not_be_used_is_told_where_it_stands(
    scene: Scene, authority: Authority, tls: str, said: str
) -> None:
    renew(authority, scene.home)
    (scene.home / "c.yaml").write_text(secured(scene, tls))
    done = await command("check", "--config", "c.yaml", home=scene.home, environ=ENVIRON)
    assert done.code == 2
    assert "c.yaml:1:" in done.out + done.err
    assert said in done.out + done.err


async def test_tls_1_2_is_the_oldest(scene: Scene, authority: Authority) -> None:
    renew(authority, scene.home)
    old = authority.client_context()
    old.maximum_version = ssl.TLSVersion.TLSv1_2
    async with scene.running(secured(scene)) as sidecar:
        await sidecar.ready()
        async with (
            aiohttp.ClientSession() as client,
            client.get(f"https://{scene.data}/api/", ssl=old) as answer,
        ):
            assert answer.status == 200
