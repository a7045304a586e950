"""Logins of SDKs at the real process: what they get, what it is worth, and what stays hidden."""

from __future__ import annotations

import base64
import json
import stat
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from tests.e2e.conftest import ENVIRON, Scene
from tests.support.process import Sidecar, running

KEY, OTHER = "canary-of-the-notebook", "canary-of-another"
SECRETS = {**ENVIRON, "KEY": KEY, "OTHER": OTHER}
CLIENTS = "clients: {notebook: {key: {env: KEY}}, other: {key: {env: OTHER}}}\n"
LOGIN = "auth/realms/master/protocol/openid-connect/token"


@pytest.fixture(params=[1, 2])
def workers(request: pytest.FixtureRequest) -> int:
    count: int = request.param
    return count


def config(scene: Scene, more: str = CLIENTS) -> str:
    """Wallaroo's SDK at ``/api/``, Run:ai's at ``/run/``, none at ``/plain/``."""
    further = f"""\
    sdk_login: wallaroo
  - {{path: /run/, upstream: "{scene.upstream.url}", credential: api, sdk_login: runai}}
  - {{path: /plain/, upstream: "{scene.upstream.url}", credential: api}}"""
    return scene.config(more, route=further)


class Caller:
    """An SDK that has logged in, or has not."""

    def __init__(self, scene: Scene) -> None:
        self._scene = scene

    async def login(self, route: str = "api", path: str = LOGIN, **form: str) -> dict[str, Any]:
        """What the login is answered."""
        async with (
            aiohttp.ClientSession() as session,  # a new connection: any of the workers
            session.post(f"{self._scene.url}/{route}/{path}", data=form) as answer,
        ):
            told: dict[str, Any] = await answer.json()
            return told | {"status": answer.status}

    async def get(self, path: str, **headers: str) -> int:
        """The status of a request."""
        async with (
            aiohttp.ClientSession() as session,
            session.get(self._scene.url + path, headers=headers) as answer,
        ):
            await answer.read()
            return answer.status

    async def as_(self, decoy: str, path: str = "/api/x") -> int:
        return await self.get(path, Authorization=f"Bearer {decoy}")


async def at_work(scene: Scene, sidecar: Sidecar) -> Caller:
    await scene.at_work(sidecar)
    return Caller(scene)


async def test_a_decoy_is_changed_for_the_token_on_the_way(scene: Scene) -> None:
    scene.provider.signed = True
    scene.provider.claims = {"sub": "8f0c", "email": "mary@example.com"}
    async with running(config(scene, ""), scene.home, admin=scene.admin, environ=SECRETS) as side:
        sdk = await at_work(scene, side)
        told = await sdk.login(grant_type="password", username="joe", password="any")
        assert await sdk.as_(told["access_token"]) == 200
    (seen,) = scene.upstream.seen
    assert seen.all("authorization") == [f"Bearer {scene.provider.issued[0]}"]
    assert told["access_token"] not in str(seen)
    payload = json.loads(base64.urlsafe_b64decode(told["access_token"].split(".")[1] + "=="))
    assert (payload["sub"], payload["aud"]) == ("8f0c", "localhost")
    assert scene.provider.issued[0] not in str(told)


async def test_every_worker_and_the_next_start_know_a_decoy(scene: Scene) -> None:
    decoys: list[str] = []
    for _ in range(2):
        async with running(config(scene), scene.home, admin=scene.admin, environ=SECRETS) as side:
            sdk = await at_work(scene, side)
            for _ in range(4):
                told = await sdk.login(grant_type="password", password=KEY)
                decoys.append(told["access_token"])
            assert [await sdk.as_(decoy) for decoy in decoys] == [200] * len(decoys)
            assert await side.stop() == 0
            assert KEY not in side.err
            assert not any(decoy in side.err for decoy in decoys)
    (kept,) = scene.home.glob(".local/state/token-sidecar/*.key")
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    assert not any(KEY in str(seen) for seen in scene.upstream.seen)


async def test_a_decoy_is_no_key_for_another_route_or_after_its_clients_changed(
    scene: Scene,
) -> None:
    async with running(config(scene), scene.home, admin=scene.admin, environ=SECRETS) as side:
        sdk = await at_work(scene, side)
        decoy = (await sdk.login(grant_type="password", password=KEY))["access_token"]
        assert await sdk.as_(decoy) == 200
        assert await sdk.as_(decoy, "/run/x") == 403
        assert await sdk.as_(decoy, "/plain/x") == 403
        assert await sdk.as_(decoy[:-2] + "AA") == 403
        header, payload, _ = decoy.split(".")
        assert await sdk.as_(f"{header}.{payload}.") == 403
        other = (await sdk.login("run", "api/v1/token", AppSecret=OTHER))["accessToken"]
        assert await sdk.as_(other) == 403
        assert await sdk.as_(other, "/run/x") == 200
    changed = SECRETS | {"KEY": "another key"}
    async with running(config(scene), scene.home, admin=scene.admin, environ=changed) as side:
        sdk = await at_work(scene, side)
        assert await sdk.as_(decoy) == 403
        assert await sdk.as_(other, "/run/x") == 200


async def test_another_state_directory_knows_none_of_them(scene: Scene) -> None:
    decoy = ""
    for state, expected in (("one", 200), ("two", 403)):
        text = config(scene, f"{CLIENTS}state_dir: {scene.home / state}")
        async with running(text, scene.home, admin=scene.admin, environ=SECRETS) as side:
            sdk = await at_work(scene, side)
            told = await sdk.login(grant_type="password", password=KEY)
            decoy = decoy or told["access_token"]
            assert await sdk.as_(decoy) == expected


async def test_who_shows_no_key_gets_no_decoy_and_reads_only_what_is_open(scene: Scene) -> None:
    scene.upstream.answer = lambda seen: web.json_response(seen.all("authorization"))
    async with running(config(scene), scene.home, admin=scene.admin, environ=SECRETS) as side:
        sdk = await at_work(scene, side)
        told = await sdk.login(grant_type="password", password="wrong")
        assert (told["status"], told["error"]) == (403, "invalid_client")
        assert await sdk.get("/api/x") == 403
        assert await sdk.get("/api/v1/api/config") == 200
        assert await sdk.get("/api/v1/api/config", Origin="https://evil.example") == 403
        assert await sdk.get("/plain/v1/api/config") == 403
    (seen,) = scene.upstream.seen
    assert seen.all("authorization") == []


async def test_a_directory_that_others_can_write_is_told_with_its_place(scene: Scene) -> None:
    (scene.home / "state").mkdir(mode=0o755)
    text = config(scene, f"state_dir: {scene.home / 'state'}")
    async with running(text, scene.home, environ=SECRETS) as side:
        assert await side.ended() == 2
        assert "config.yaml:11:5: `sdk_login`: " in side.err
        assert f"chmod 700 {scene.home / 'state'}" in side.err
