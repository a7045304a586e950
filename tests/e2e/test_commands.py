"""``token`` and its kin as processes: beside a sidecar, on the store alone, and both at once."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from pathlib import Path

import pytest

from proxy.clock import SystemClock
from proxy.runtime.indexing import read
from proxy.stores.identity import identity
from proxy.stores.key import Key
from tests.e2e.conftest import ENVIRON, Scene
from tests.support.identity_provider import Reply
from tests.support.process import Finished, command, running, until
from tests.support.stores import file_store, full_entry

FILE = "store: {file: tokens, encryption_key: {env: STORE_KEY}}"
MEMORY = "store: memory"
SECRETS = {**ENVIRON, "STORE_KEY": "00" * 32}


class Commands:
    """Runs commands on one scene's configuration."""

    def __init__(self, scene: Scene, more: str, credential: str = "") -> None:
        self.scene = scene
        self.path = scene.home / "config.yaml"
        self.config = scene.config(more, credential=credential)
        self.path.write_text(self.config)

    async def __call__(self, *arguments: str, secrets: dict[str, str] | None = None) -> Finished:
        words, rest = list(arguments), []
        if "--" in words:
            place = words.index("--")
            words, rest = words[:place], words[place:]
        given = [*words, "--config", str(self.path), *rest]
        return await command(
            *given, home=self.scene.home, environ=SECRETS if secrets is None else secrets
        )

    async def token(self, *arguments: str) -> str:
        done = await self("token", "api", *arguments)
        assert (done.code, done.err) == (0, "")
        return done.out


async def test_a_token_comes_from_the_memory_of_the_sidecar_that_runs(scene: Scene) -> None:
    run = Commands(scene, MEMORY)
    async with running(run.config, scene.home, admin=scene.admin, environ=SECRETS) as sidecar:
        await sidecar.ready()
        assert [await run.token() for _ in range(2)] == ["token-1\n"] * 2
        assert scene.provider.asked == 1
        assert (await run("refresh", "api")).code == 0
        assert await run.token() == "token-2\n"
        assert (await run("forget", "api")).out == "api: forgotten\n"
        assert await run.token() == "token-3\n"
        # No secret is needed where the sidecar has them all.
        assert (await run("token", "api", secrets={})).out == "token-3\n"


async def test_a_token_comes_from_the_store_where_no_sidecar_runs(scene: Scene) -> None:
    run = Commands(scene, FILE)
    assert [await run.token() for _ in range(3)] == ["token-1\n"] * 3
    assert scene.provider.asked == 1
    assert (await run("token", "api", secrets={"STORE_KEY": "00" * 32})).out == "token-1\n"


async def test_a_token_comes_in_the_form_that_is_wanted(scene: Scene) -> None:
    run = Commands(scene, FILE)
    assert await run.token("--header") == "Authorization: Bearer token-1\n"
    said = json.loads(await run.token("--json"))
    assert 0 < said.pop("expires_in") <= 60
    assert said == {
        "credential": "api",
        "token": "token-1",
        "field": "access_token",
        "generation": 1,
    }
    told = await run("token", "api", "--min-ttl", "1h")
    assert told.out == "token-1\n"
    assert "do not live for 3600 s" in told.err


async def test_a_session_goes_out_as_a_cookie(scene: Scene) -> None:
    run = Commands(scene, FILE)
    config, _ = read(run.path, {"HOME": str(scene.home)})
    entry = full_entry(SystemClock())
    store = file_store(scene.home, SystemClock(), key=Key(bytes(32), "the tests' key"))
    known_by = identity(config.credentials["api"])
    async with store.lock(known_by):
        await store.save(known_by, entry)
    await store.close()
    assert await run.token("--header") == "Cookie: canary-token-7\n"
    assert scene.provider.asked == 0


async def test_what_a_killed_sidecar_left_is_no_sidecar(scene: Scene) -> None:
    run = Commands(scene, FILE)
    async with running(run.config, scene.home, admin=scene.admin, environ=SECRETS) as sidecar:
        await sidecar.ready()
        sidecar.process.kill()
        await sidecar.ended()
        assert sidecar.own_socket.exists()
        assert await run.token() == "token-1\n"
    assert scene.provider.asked == 1


async def test_all_at_once_cause_one_token_request(scene: Scene) -> None:
    scene.provider.script.append(Reply(delay=0.5))
    run = Commands(scene, FILE)
    async with running(run.config, scene.home, admin=scene.admin, environ=SECRETS) as sidecar:
        tokens = await asyncio.gather(*(run.token() for _ in range(4)))
        await sidecar.ready()
    assert tokens == ["token-1\n"] * 4
    assert scene.provider.asked == 1


async def test_without_any_sidecar_they_wait_for_one_another(scene: Scene) -> None:
    scene.provider.script.append(Reply(delay=0.5))
    run = Commands(scene, FILE)
    assert await asyncio.gather(*(run.token() for _ in range(4))) == ["token-1\n"] * 4
    assert scene.provider.asked == 1


async def test_an_expired_one_is_renewed(scene: Scene) -> None:
    scene.provider.lifetime = 1
    run = Commands(scene, FILE)
    assert await run.token() == "token-1\n"

    async def renewed() -> bool:
        return await run.token() == "token-2\n"

    await until(renewed, deadline=60)


async def test_a_sidecar_with_another_configuration_is_left_alone(scene: Scene) -> None:
    run = Commands(scene, FILE)
    async with running(run.config, scene.home, admin=scene.admin, environ=SECRETS) as sidecar:
        await sidecar.ready()
        run.path.write_text(scene.config(FILE, credential="    scope: more"))
        done = await run("token", "api")
    assert (done.code, done.out) == (0, "token-2\n")
    assert "the sidecar runs with another configuration of this credential" in done.err
    assert [one.form.get("scope") for one in scene.provider.requests] == [None, "more"]


@pytest.mark.parametrize(
    ("reply", "code"),
    [
        (Reply(401, {"error": "invalid_client"}), 3),
        (Reply(404), 3),
        (Reply(503), 4),
        (Reply(close=True), 4),
    ],
)
@pytest.mark.parametrize("beside", [False, True])
async def test_a_failure_is_told_by_the_exit_code(
    scene: Scene, reply: Reply, code: int, beside: bool
) -> None:
    scene.provider.otherwise = reply
    run = Commands(scene, "hold: 1s")
    if not beside:
        done = await run("token", "api")
    else:
        async with running(run.config, scene.home, admin=scene.admin, environ=SECRETS) as sidecar:
            await sidecar.healthy()
            done = await run("token", "api")
        if reply.status == 404:
            code = 4  # the sidecar goes on trying: for it there is no token yet
    assert (done.code, done.out) == (code, "")
    assert "Traceback" not in done.err


async def test_what_was_mistyped_is_told_with_what_was_meant(scene: Scene) -> None:
    run = Commands(scene, FILE)
    for words in (["token"], ["refresh"], ["forget"], ["status"]):
        done = await run(*words, "apo")
        assert (done.code, done.out) == (2, "")
        assert "no credential apo in the configuration; did you mean api?" in done.err
    assert (await run("exec", "apo", "--", "true")).code == 2


async def test_a_secret_that_is_missing_is_a_mistake_of_the_configuration(scene: Scene) -> None:
    run = Commands(scene, MEMORY)
    done = await run("token", "api", secrets={})
    assert (done.code, done.out) == (2, "")
    assert "API_SECRET" in done.err


async def test_the_list_and_the_status_tell_what_there_is(scene: Scene) -> None:
    run = Commands(scene, FILE)
    assert (await run("list")).out == "api  client_credentials  empty\n"
    await run.token()
    listed = json.loads((await run("list", "--json")).out)
    assert listed == [{"name": "api", "grant": "client_credentials", "state": "valid"}]
    said = json.loads((await run("status", "api", "--json")).out)
    assert said["running"] is False
    assert said["credentials"]["api"]["generation"] == 1
    async with running(run.config, scene.home, admin=scene.admin, environ=SECRETS) as sidecar:
        await sidecar.ready()
        told = await run("status")
        assert told.out.startswith("api: valid, access_token, ")
        assert ", next try in " in told.out
        assert json.loads((await run("status", "--json")).out)["running"] is True
    assert (await run("forget", "api")).out == "api: forgotten\n"
    assert (await run("forget", "api")).out == "api: nothing was kept\n"
    assert (await run("list")).out == "api  client_credentials  empty\n"
    assert scene.provider.asked == 1


async def test_what_is_forgotten_in_the_store_is_forgotten_by_who_runs(scene: Scene) -> None:
    run = Commands(scene, FILE)
    async with running(run.config, scene.home, admin=scene.admin, environ=SECRETS) as sidecar:
        await sidecar.ready()
        sidecar.own_socket.unlink()  # so that the command has the store alone
        assert (await run("forget", "api")).out == "api: forgotten\n"
        await sidecar.says("generation=2")


async def test_whoever_is_told_to_end_keeps_the_answer_it_waits_for(scene: Scene) -> None:
    scene.provider.refresh_lifetime, scene.provider.kills_families = 600, True
    scene.provider.accept_refresh_token("first")
    first = "    grant: refresh_token\n    refresh_token: {env: FIRST}"
    run = Commands(scene, FILE, first)
    secrets = {**SECRETS, "FIRST": "first"}
    scene.provider.script.append(Reply(delay=1.0))
    waiting = asyncio.create_task(run("token", "api", secrets=secrets))

    async def asked() -> bool:
        return scene.provider.asked == 1

    await until(asked)
    os.kill(_process(run), signal.SIGTERM)
    assert (await waiting).code == -15
    assert (await run("token", "api", secrets=secrets)).code == 0
    assert scene.provider.reused == 0
    assert scene.provider.asked == 1


def _process(run: Commands) -> int:
    """The command ``token`` that runs now."""
    found = [int(one.name) for one in Path("/proc").glob("[0-9]*") if _is_token(one, run)]
    assert len(found) == 1
    return found[0]


def _is_token(process: Path, run: Commands) -> bool:
    try:
        words = (process / "cmdline").read_bytes().split(b"\0")
    except OSError:
        return False
    return b"token" in words and str(run.path).encode() in words
