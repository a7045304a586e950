"""Secrets that change, vanish and come back under a running sidecar; no request is the worse."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from tests.e2e.conftest import Scene
from tests.support.identity_provider import CLIENT
from tests.support.process import Sidecar, command, running, until
from tests.support.secret_places import EVERY, FILES, Command, InVault, Place, Ring, placed
from tests.support.vault import Vault

EFFECT = 2.0
"""Seconds after which a changed file is in effect."""


@pytest.fixture
async def vault() -> AsyncIterator[Vault]:
    async with Vault() as served:
        yield served


def config(scene: Scene, place: Place, *, static: bool = False, more: str = "") -> str:
    credential = f"grant: static\n    token: {place.written}"
    if not static:
        credential = f"token_url: {scene.provider.token_url}\n    client_id: {CLIENT[0]}\n    "
        credential += place.key
    return f"""\
listen: {scene.data}
admin: {scene.admin}
workers: {scene.workers}
{place.section}
{more}
credentials:
  api:
    {credential}
routes: [{{path: /, upstream: "{scene.upstream.url}", credential: api}}]
"""


@asynccontextmanager
async def beside(scene: Scene, place: Place, **more: Any) -> AsyncIterator[Sidecar]:
    """A sidecar whose secret is at ``place``, ready."""
    text = config(scene, place, **more)
    async with running(text, scene.home, admin=scene.admin, environ=place.environ) as sidecar:
        await sidecar.ready()
        yield sidecar


async def sent(scene: Scene, client: aiohttp.ClientSession) -> str:
    """The credential that reaches the upstream now."""
    async with client.get(f"{scene.url}/") as answer:
        assert answer.status == 200, await answer.text()
    (field,) = scene.upstream.seen[-1].all("Authorization")
    return field.removeprefix("Bearer ")


async def secret(sidecar: Sidecar) -> dict[str, Any]:
    """What the status says of the one secret."""
    (found,) = json.loads((await sidecar.ask("/v1/status")).text)["secrets"]
    return dict(found)


async def told(sidecar: Sidecar, what: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
    """The secret's status once this is so."""

    async def is_so() -> bool:
        return what(await secret(sidecar))

    await until(is_so, what="the secret's status")
    return await secret(sidecar)


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("name", FILES)
async def test_a_changed_file_is_in_effect_within_two_seconds(
    scene: Scene, client: aiohttp.ClientSession, vault: Vault, name: str
) -> None:
    place = placed(name, scene.home, vault)
    place.put("first")
    async with beside(scene, place, static=True) as sidecar:
        await scene.at_work(sidecar)
        assert await sent(scene, client) == "first"
        place.put("second")
        began = time.monotonic()

        async def changed() -> bool:
            return await sent(scene, client) == "second"

        await until(changed, deadline=10.0, what="the new token at the upstream")
        taken = time.monotonic() - began
        # The machine may be busy with other tests: what it takes on its own is told by the log.
        assert taken < 2 * EFFECT, taken
        assert (await told(sidecar, lambda one: one["changes"] == 1))["fault"] is None
        assert await sidecar.stop() == 0


@pytest.mark.parametrize("name", EVERY)
async def test_a_secret_changed_at_the_provider_first_is_found_when_it_refuses(
    scene: Scene, client: aiohttp.ClientSession, vault: Vault, name: str
) -> None:
    scene.provider.clients = {CLIENT[0]: "canary-1"}
    scene.provider.lifetime = 4
    place = placed(name, scene.home, vault)
    place.put("canary-1")
    async with beside(scene, place) as sidecar:
        before = await sent(scene, client)
        scene.provider.clients = {CLIENT[0]: "canary-2"}
        asked = scene.provider.asked
        await until(lambda: _more(scene, asked), what="a request with the old secret")
        place.put("canary-2")

        async def renewed() -> bool:
            return await sent(scene, client) != before  # and none that failed

        await until(renewed, deadline=10.0, what="a token by the new secret")
        assert (await told(sidecar, lambda one: one["changes"] == 1))["fault"] is None
        assert "canary" not in sidecar.err


async def _more(scene: Scene, asked: int) -> bool:
    return scene.provider.asked > asked


@pytest.mark.parametrize("name", FILES)
async def test_a_file_emptied_or_missing_for_a_while_changes_nothing(
    scene: Scene, client: aiohttp.ClientSession, vault: Vault, name: str
) -> None:
    scene.provider.lifetime = 2
    place = placed(name, scene.home, vault)
    place.put(CLIENT[1])
    file = scene.home / ("mount/secret" if name == "data" else "secret")
    async with beside(scene, place) as sidecar:
        for harm in (_empty, Path.unlink):
            harm(file)
            fault = await told(sidecar, lambda one: one["fault"] is not None)
            assert str(file) in fault["fault"]
            asked = scene.provider.asked
            await until(lambda: _more(scene, asked), what="a renewal by the last good value")  # noqa: B023 - at once
            await sent(scene, client)
            if name == "data":
                file.unlink(missing_ok=True)
                file.symlink_to("..data/secret")
            place.put(CLIENT[1])
            await told(sidecar, lambda one: one["fault"] is None)
        assert sidecar.err.count("what was read before stays in use") == 2
        assert sidecar.err.count("can be read again") == 2
        metrics = (await sidecar.ask("/metrics")).text
        assert 'token_sidecar_secret_up{kind="file"' in metrics
        assert (await secret(sidecar))["changes"] == 0


def _empty(file: Path) -> None:
    os.truncate(file, 0)


async def test_a_new_secret_that_is_refused_leaves_the_old_token_at_work(
    scene: Scene, client: aiohttp.ClientSession, vault: Vault
) -> None:
    scene.provider.lifetime = 30
    place = placed("file", scene.home, vault)
    place.put(CLIENT[1])
    async with beside(scene, place) as sidecar:
        before = await sent(scene, client)
        place.put("nobody knows it")
        await told(sidecar, lambda one: one["changes"] == 1)
        reply = await sidecar.ask("/v1/status")
        assert reply.status == 200
        assert await sent(scene, client) == before


def script(home: Path, text: str) -> None:
    """What the command runs from now on."""
    draft = home / "draft"
    draft.write_text(f"#!/bin/sh\n{text}\n")
    draft.chmod(0o700)
    draft.replace(home / "get")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("echo canary-of-it >&2; exit 1", "ended with 1"),
        ("yes canary-of-it | head -c 10000000", "more than 65536 bytes"),
        ("", "printed nothing"),
    ],
)
async def test_a_command_that_goes_wrong_takes_nothing_away(
    scene: Scene, client: aiohttp.ClientSession, text: str, fault: str
) -> None:
    scene.provider.lifetime = 2
    place = Command(scene.home)
    place.written = "{command: [./get], every: 1s}"
    script(scene.home, f"echo {CLIENT[1]}")
    async with beside(scene, place) as sidecar:
        script(scene.home, text)
        found = await told(sidecar, lambda one: one["fault"] is not None)
        assert fault in found["fault"]
        assert found["kind"] == "command"
        asked = scene.provider.asked
        await until(lambda: _more(scene, asked), what="a renewal by the last good value")
        await sent(scene, client)
        script(scene.home, f"echo {CLIENT[1]}")
        await told(sidecar, lambda one: one["fault"] is None)
        said = sidecar.err + (await sidecar.ask("/v1/status")).text
        assert "canary" not in said
        assert CLIENT[1] not in said


async def test_a_command_that_hangs_holds_up_no_request_and_ends_with_us(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    scene.provider.lifetime = 2
    place = Command(scene.home)
    place.written = "{command: [./get], every: 1s}"
    script(scene.home, f"echo {CLIENT[1]}")
    async with beside(scene, place) as sidecar:
        script(scene.home, f"echo $$ > {scene.home}/pid; sleep 600")
        pid = scene.home / "pid"
        await until(lambda: _is_there(pid), what="the command's start")
        slowest = 0.0
        asked = scene.provider.asked
        while scene.provider.asked < asked + 2:
            began = time.monotonic()
            await sent(scene, client)
            slowest = max(slowest, time.monotonic() - began)
            await asyncio.sleep(0.02)
        assert slowest < 9.0  # the command is given ten seconds
        await told(sidecar, lambda one: "did not end within 10 s" in (one["fault"] or ""))
        await until(lambda: _is_gone(int(pid.read_text())), what="the end of the command")
        assert await sidecar.stop() == 0


async def _is_there(file: Path) -> bool:
    return file.exists() and bool(file.read_text().strip())  # noqa: ASYNC240 - a word in memory


async def _is_gone(pid: int) -> bool:
    return not Path(f"/proc/{pid}").exists()  # noqa: ASYNC240 - no disk is asked


async def test_a_locked_keyring_keeps_what_it_told(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    scene.provider.lifetime = 2
    place = Ring(scene.home)
    place.put(CLIENT[1])
    async with beside(scene, place) as sidecar:
        (scene.home / "locked").touch()
        fault = await told(sidecar, lambda one: one["fault"] is not None)
        assert "can't be used (RuntimeError); unlock it" in fault["fault"]
        asked = scene.provider.asked
        await until(lambda: _more(scene, asked), what="a renewal by the last good value")
        await sent(scene, client)
        (scene.home / "locked").unlink()
        await told(sidecar, lambda one: one["fault"] is None)
        assert "canary" not in sidecar.err


async def test_a_keyring_that_is_locked_at_the_start_is_waited_for(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    place = Ring(scene.home)
    place.put(CLIENT[1])
    (scene.home / "locked").touch()
    text = config(scene, place)
    async with running(text, scene.home, admin=scene.admin, environ=place.environ) as sidecar:
        await sidecar.healthy()
        assert (await sidecar.ask("/readyz")).status == 503
        (scene.home / "locked").unlink()
        await sidecar.ready()
        await sent(scene, client)


async def test_vault_sealed_slow_or_forgetful_takes_nothing_away(
    scene: Scene, client: aiohttp.ClientSession, vault: Vault
) -> None:
    scene.provider.lifetime = 2
    place = InVault(scene.home, vault)
    place.put(CLIENT[1])
    (scene.home / "role").write_text("role")
    (scene.home / "id").write_text("canary-of-the-role")
    for name in ("role", "id"):
        (scene.home / name).chmod(0o600)
    vault.roles = {("role", "canary-of-the-role")}
    vault.ttl = 6.0
    auth = "{approle: {role_id: {file: role}, secret_id: {file: id}}}"
    place.section = f"vault: {{address: '{vault.url}', namespace: team, auth: {auth}}}"
    vault.namespace = "team"
    async with beside(scene, place) as sidecar:

        async def here() -> dict[str, Any]:
            every = json.loads((await sidecar.ask("/v1/status")).text)["secrets"]
            (one,) = (one for one in every if one["kind"] == "vault")
            return dict(one)

        async def faulty() -> bool:
            return (await here())["fault"] is not None

        async def fine() -> bool:
            return (await here())["fault"] is None

        vault.sealed = True
        await until(faulty, what="the fault")
        assert "sealed" in (await here())["fault"]
        asked = scene.provider.asked
        await until(lambda: _more(scene, asked), what="a renewal by the last good value")
        await sent(scene, client)
        vault.sealed = False
        await until(fine, what="its end")
        vault.tokens.clear()  # revoked, all of them
        place.put("another")
        scene.provider.clients = {CLIENT[0]: "another"}

        async def changed() -> bool:
            return (await here())["changes"] == 1

        await until(changed, what="the new value")
        await sent(scene, client)
        # The token lives 6 s: it was renewed meanwhile, or asked for anew.
        vault.asked.clear()

        async def renewed() -> bool:
            return "POST auth/token/renew-self" in vault.asked

        await until(renewed, what="the renewal of Vault's token")
        assert not [one for one in vault.asked if "login" in one]
        assert "canary" not in sidecar.err + (await sidecar.ask("/v1/status")).text


async def test_vault_sealed_at_the_start_is_waited_for(
    scene: Scene, client: aiohttp.ClientSession, vault: Vault
) -> None:
    place = InVault(scene.home, vault)
    place.put(CLIENT[1])
    vault.sealed = True
    text = config(scene, place)
    async with running(text, scene.home, admin=scene.admin, environ=place.environ) as sidecar:
        await sidecar.healthy()
        assert "Vault is sealed" in sidecar.err
        vault.sealed = False
        await sidecar.ready()
        await sent(scene, client)


@pytest.mark.parametrize("name", ["command", "keyring", "vault"])
async def test_commands_read_each_place_without_a_sidecar(
    scene: Scene, vault: Vault, name: str
) -> None:
    place = placed(name, scene.home, vault)
    place.put("canary-1")
    (scene.home / "config.yaml").write_text(config(scene, place, static=True))
    about = ("--config", "config.yaml")
    done = await command("token", "api", *about, home=scene.home, environ=place.environ)
    assert (done.code, done.out, done.err) == (0, "canary-1\n", "")
    done = await command("check", *about, home=scene.home, environ=place.environ)
    assert done.code == 0, done.err
    done = await command("doctor", "api", *about, home=scene.home, environ=place.environ)
    assert "8 characters" in done.out, done.out + done.err
    assert "canary" not in done.out + done.err


async def test_a_path_that_vault_does_not_have_is_a_mistake_told_in_one_line(
    scene: Scene, vault: Vault
) -> None:
    place = InVault(scene.home, vault)
    text = config(scene, place)
    async with running(text, scene.home, admin=scene.admin, environ=place.environ) as sidecar:
        assert await sidecar.ended() == 2
        (line,) = sidecar.err.splitlines()
        assert "Vault has no secret secret/api" in line


async def test_a_command_that_does_not_exist_is_a_mistake(scene: Scene) -> None:
    place = Command(scene.home)
    place.written = "{command: [./nowhere]}"
    async with running(config(scene, place), scene.home, admin=scene.admin) as sidecar:
        assert await sidecar.ended() == 2
        assert f"the command {scene.home}/nowhere does not exist" in sidecar.err


async def test_a_reload_reads_what_is_new_and_refuses_what_can_not_be_read(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    place = Command(scene.home)
    place.put(CLIENT[1])
    async with beside(scene, place) as sidecar:
        before = await sent(scene, client)
        place.written = "{command: [./nowhere]}"
        (scene.home / "config.yaml").write_text(config(scene, place))
        sidecar.send(signal.SIGHUP)
        await sidecar.says("nowhere does not exist")
        assert await sent(scene, client) == before
        script(scene.home, f"echo {CLIENT[1]}")
        place.written = "{command: [./get]}"
        (scene.home / "config.yaml").write_text(config(scene, place))
        sidecar.send(signal.SIGHUP)
        await until(lambda: _renewed(scene, client, before), what="the new credential")
        assert "./get" not in before


async def _renewed(scene: Scene, client: aiohttp.ClientSession, before: str) -> bool:
    return await sent(scene, client) != before
