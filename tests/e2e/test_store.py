"""The store in files, by the whole program: what survives, and what is refused at start."""

from __future__ import annotations

import signal

import aiohttp

from tests.e2e.conftest import ENVIRON, Scene
from tests.support.process import running

STORE = "store: {file: tokens, encryption_key: {env: STORE_KEY}}"
FIRST = "    grant: refresh_token\n    refresh_token: {env: FIRST_REFRESH}"
SECRETS = {**ENVIRON, "STORE_KEY": "00" * 32, "FIRST_REFRESH": "canary-first"}


async def test_a_restart_goes_on_with_the_tokens_it_had(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    scene.provider.refresh_lifetime, scene.provider.kills_families = 600, True
    scene.provider.accept_refresh_token("canary-first")
    config = scene.config(STORE, credential=FIRST)
    for _ in range(2):
        async with running(config, scene.home, admin=scene.admin, environ=SECRETS) as sidecar:
            await sidecar.ready()
            assert (await client.get(scene.url + "/api/")).status == 200
            assert await sidecar.stop() == 0
            assert "reload" not in sidecar.err
    assert scene.provider.asked == 1
    kept = b"".join(path.read_bytes() for path in (scene.home / "tokens").iterdir())
    for secret in (*scene.provider.issued, "canary-first", "refresh-"):
        assert secret.encode() not in kept


async def test_a_rotated_refresh_token_survives_sigkill_where_it_had_come(scene: Scene) -> None:
    scene.provider.refresh_lifetime, scene.provider.kills_families = 600, True
    scene.provider.lifetime = 2
    scene.provider.accept_refresh_token("canary-first")
    config = scene.config(STORE, credential=FIRST)
    for _ in range(3):
        async with running(config, scene.home, admin=scene.admin, environ=SECRETS) as sidecar:
            await sidecar.ready()
            sidecar.process.kill()
    async with running(config, scene.home, admin=scene.admin, environ=SECRETS) as sidecar:
        await sidecar.ready()
        await sidecar.stop()
    assert scene.provider.reused == 0


async def test_a_store_that_others_may_read_is_refused_at_start(scene: Scene) -> None:
    (scene.home / "tokens").mkdir(mode=0o755)
    config = scene.config(STORE)
    async with running(config, scene.home, environ=SECRETS) as sidecar:
        assert await sidecar.ended() == 1
        assert f"`store`: {scene.home / 'tokens'} is open to others (mode 0755)" in sidecar.err
        assert f"chmod 700 {scene.home / 'tokens'}" in sidecar.err


async def test_another_store_needs_a_new_start(scene: Scene) -> None:
    config = scene.config("store: {file: one, encryption_key: {env: STORE_KEY}}")
    async with running(config, scene.home, admin=scene.admin, environ=SECRETS) as sidecar:
        await sidecar.ready()
        (scene.home / "config.yaml").write_text(config.replace("file: one", "file: other"))
        sidecar.send(signal.SIGHUP)
        await sidecar.says("`store` changes with the next start only")
        assert not (scene.home / "other").exists()
        assert (scene.home / "one").exists()
