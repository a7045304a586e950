"""Routes that go out through an egress proxy, by the real process; its password stays hidden."""

from __future__ import annotations

import aiohttp
import pytest

from tests.e2e.conftest import ENVIRON, Scene
from tests.support.egress_proxy import EgressProxy, egress_proxy
from tests.support.process import Sidecar, command, running

HIDDEN = ("pw1", "am9lOnB3MQ")


def elsewhere(scene: Scene, proxy: EgressProxy, route: str = "") -> str:
    """The upstream by a name that only the proxy knows."""
    host, port = scene.upstream.url.removeprefix("http://").split(":")
    proxy.target = (host, int(port))
    named = scene.config(route=f"    allow_insecure: true\n{route}")
    return named.replace(scene.upstream.url, "http://api.internal")


async def check_reached(
    scene: Scene, proxy: EgressProxy, sidecar: Sidecar, client: aiohttp.ClientSession
) -> None:
    await sidecar.ready()
    async with client.get(scene.url + "/api/x") as answer:
        assert answer.status == 200
    (asked,) = proxy.asked
    assert asked.startswith("CONNECT api.internal:80 HTTP/1.1\r\n")
    assert "Proxy-Authorization: Basic am9lOnB3MQ==\r\n" in asked
    (seen,) = scene.upstream.seen
    assert seen.target == "/v1/x"
    assert seen.all("Authorization") != []
    assert seen.all("Proxy-Authorization") == []
    shown = repr(seen) + sidecar.err + sidecar.out + (await sidecar.ask("/v1/status")).text
    shown += (await sidecar.ask("/metrics")).text
    assert not [secret for secret in HIDDEN if secret in shown]


def with_password(proxy: EgressProxy) -> str:
    return proxy.url.replace("http://", "http://joe:pw1@")


async def test_a_route_goes_out_through_its_proxy(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    async with egress_proxy() as proxy:
        config = elsewhere(scene, proxy, f"    proxy: {with_password(proxy)}")
        async with scene.running(config) as sidecar:
            await check_reached(scene, proxy, sidecar, client)


async def test_a_route_goes_out_through_the_environments_proxy(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    async with egress_proxy() as proxy:
        environ = {**ENVIRON, "HTTP_PROXY": with_password(proxy)}
        config = elsewhere(scene, proxy)
        async with running(config, scene.home, admin=scene.admin, environ=environ) as sidecar:
            await check_reached(scene, proxy, sidecar, client)


@pytest.mark.parametrize(("refuses", "status"), [(407, 502), (502, 502), (504, 504)])
async def test_what_the_proxy_refuses_is_told_of_the_proxy(
    scene: Scene, client: aiohttp.ClientSession, refuses: int, status: int
) -> None:
    async with egress_proxy() as proxy:
        proxy.refuse = refuses
        config = elsewhere(scene, proxy, f"    proxy: {with_password(proxy)}")
        async with scene.running(config) as sidecar:
            await sidecar.ready()
            async with client.get(scene.url + "/api/x") as answer:
                assert answer.status == status
                detail = (await answer.json(content_type=None))["detail"]
            assert proxy.url.removeprefix("http://") in detail
            assert str(refuses) in detail
            assert not [secret for secret in HIDDEN if secret in detail + sidecar.err]


async def test_a_proxy_of_the_environment_that_is_none_is_told_at_the_route(scene: Scene) -> None:
    async with egress_proxy() as proxy:
        (scene.home / "c.yaml").write_text(elsewhere(scene, proxy))
    environ = {**ENVIRON, "HTTP_PROXY": "socks5://joe:pw1@127.0.0.1:1"}
    done = await command("check", "--config", "c.yaml", home=scene.home, environ=environ)
    assert done.code == 2
    assert "HTTP_PROXY in the environment is no http://host:port" in done.out + done.err
    assert "pw1" not in done.out + done.err
