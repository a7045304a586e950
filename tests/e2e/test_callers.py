"""A route that exchanges each caller's own token, with the real process."""

from __future__ import annotations

import asyncio
import json
import signal
from collections import Counter

import aiohttp
import pytest
from aiohttp import web

from tests.e2e.conftest import SECRET, Scene
from tests.support.identity_provider import Asked, Refused
from tests.support.upstream import Seen

EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"
CREDENTIAL = """\
    grant: token_exchange
    subject: request
    audience: inference"""


@pytest.fixture(params=[1, 2], ids=["one process", "two workers"])
def workers(request: pytest.FixtureRequest) -> int:
    """What holds for one process holds for any number."""
    return int(request.param)


@pytest.fixture
def subjects(scene: Scene) -> list[str]:
    """The subject of every exchange; ``mallory``'s is refused."""
    seen: list[str] = []

    def judge(asked: Asked) -> None:
        seen.append(asked.form["subject_token"])
        assert asked.form["audience"] == "inference"
        if asked.form["subject_token"] == "mallory":
            raise Refused(400, "invalid_grant", "Token is not active")

    scene.provider.further_grants[EXCHANGE] = judge
    scene.provider.extra = {"issued_token_type": "urn:ietf:params:oauth:token-type:access_token"}
    return seen


async def ask(scene: Scene, bearer: str, **headers: str) -> tuple[int, str]:
    """Status and body of a request on a connection of its own."""
    headers = {"Authorization": f"Bearer {bearer}", **headers}
    async with (
        aiohttp.ClientSession() as own,
        own.get(scene.url + "/api/x", headers=headers) as answer,
    ):
        return answer.status, await answer.text()


def shown(seen: Seen) -> web.Response:
    return web.Response(text=" ".join(seen.all("Authorization")))


async def test_each_caller_has_a_token_of_its_own_for_one_exchange(
    scene: Scene, subjects: list[str]
) -> None:
    scene.upstream.answer = shown
    async with scene.running(scene.config(credential=CREDENTIAL)) as sidecar:
        await scene.at_work(sidecar)
        assert subjects == []
        names = [f"caller-{number}" for number in range(5)]
        answers = await asyncio.gather(*(ask(scene, name) for name in names * 8))
        tokens = {name: {text for _, text in answers[place::5]} for place, name in enumerate(names)}
        assert {status for status, _ in answers} == {200}
        assert all(len(one) == 1 for one in tokens.values())
        assert len(set.union(*tokens.values())) == 5
        assert Counter(subjects) == dict.fromkeys(names, 1)
        told = json.loads((await sidecar.ask("/v1/status")).text)["credentials"]["api"]
        assert (told["callers"], told["token_requests"]) == (5, 5)
        page = (await sidecar.ask("/metrics")).text
        assert 'token_sidecar_credential_callers{credential="api"} 5.0' in page
        assert await sidecar.stop() == 0
        assert not any(name in sidecar.err for name in names)
        assert SECRET not in sidecar.err


async def test_who_is_refused_is_told_why_and_nobody_else_notices(
    scene: Scene, subjects: list[str]
) -> None:
    async with scene.running(scene.config(credential=CREDENTIAL)) as sidecar:
        await scene.at_work(sidecar)
        for _ in range(3):
            status, text = await ask(scene, "mallory")
            assert (status, "invalid_grant" in text) == (502, True)
            assert (await ask(scene, "ann"))[0] == 200
        async with (
            aiohttp.ClientSession() as own,
            own.get(scene.url + "/api/x") as answer,
        ):
            assert answer.status == 403
            assert "Authorization: Bearer TOKEN" in (await answer.json())["detail"]
        assert Counter(subjects) == {"mallory": 1, "ann": 1}


async def test_a_401_brings_one_caller_one_new_token(scene: Scene, subjects: list[str]) -> None:
    async with scene.running(scene.config(credential=CREDENTIAL)) as sidecar:
        await scene.at_work(sidecar)
        for name in ("ann", "bob"):
            assert (await ask(scene, name))[0] == 200
        dead = f"Bearer {scene.provider.issued[0]}"
        scene.upstream.answer = lambda seen: web.Response(
            status=401 if seen.all("Authorization") == [dead] else 200
        )
        answers = await asyncio.gather(*(ask(scene, name) for name in ["ann", "bob"] * 8))
        assert {status for status, _ in answers} == {200}
        assert Counter(subjects) == {"ann": 2, "bob": 1}


async def test_short_lived_tokens_are_renewed_in_use_and_nobody_fails(
    scene: Scene, subjects: list[str]
) -> None:
    scene.provider.lifetime = 2
    loop = asyncio.get_running_loop()
    async with scene.running(scene.config(credential=CREDENTIAL)) as sidecar:
        await scene.at_work(sidecar)
        begun, statuses = loop.time(), Counter[int]()
        while loop.time() - begun < 5:
            answers = await asyncio.gather(*(ask(scene, name) for name in ["ann", "bob"] * 3))
            statuses.update(status for status, _ in answers)
        elapsed = loop.time() - begun
    assert set(statuses) == {200}
    for name in ("ann", "bob"):
        assert 3 <= subjects.count(name) <= elapsed / (0.6 * 2) + 2


async def test_a_reload_keeps_the_callers_of_what_is_unchanged(
    scene: Scene, subjects: list[str]
) -> None:
    config = scene.config(credential=CREDENTIAL)
    async with scene.running(config) as sidecar:
        await scene.at_work(sidecar)
        assert (await ask(scene, "ann"))[0] == 200
        (scene.home / "config.yaml").write_text(config.replace("listen:", "hold: 9s\nlisten:", 1))
        sidecar.send(signal.SIGHUP)
        await sidecar.says("the new configuration is at work")
        assert (await ask(scene, "ann"))[0] == 200
    assert subjects == ["ann"]
