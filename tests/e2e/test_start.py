"""What a start costs: only what this configuration needs is imported."""

from __future__ import annotations

import re

import aiohttp
import pytest

from tests.e2e.conftest import ENVIRON, Scene
from tests.support.process import command, running

HEAVY = {
    "cryptography": "only what signs or encrypts needs it",
    "joserfc": "only what signs needs it",
    "prometheus_client": "the first scrape brings it",
    "proxy.cli.check": "another command",
    "proxy.demo": "another command",
    "pyarrow": "the demonstration's",
    "pydantic": "another process reads the file",
    "rich": "for terminals",
    "yaml": "another process reads the file",
}
TIMED = re.compile(r"^import time: .*\| +(\S+)$", re.MULTILINE)


async def test_a_running_sidecar_has_imported_only_what_it_needs(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    environ = {**ENVIRON, "PYTHONPROFILEIMPORTTIME": "1"}
    async with running(scene.config(), scene.home, admin=scene.admin, environ=environ) as sidecar:
        await sidecar.ready()
        assert (await client.get(scene.url + "/api/")).status == 200
        imported = set(TIMED.findall(sidecar.err))
    assert "proxy.runtime.sidecar" in imported
    assert "proxy.plane.plane" in imported
    assert imported.isdisjoint(HEAVY)


@pytest.mark.parametrize(
    ("arguments", "needless"),
    [
        (("version",), {"asyncio", "aiohttp", "pydantic", "yaml", "rich"}),
        (("healthcheck",), {"asyncio", "aiohttp", "rich"}),
    ],
)
async def test_a_small_command_imports_little(
    scene: Scene, arguments: tuple[str, ...], needless: set[str]
) -> None:
    (scene.home / "token-sidecar.yaml").write_text(scene.config())
    environ = {"PYTHONPROFILEIMPORTTIME": "1"}
    async with scene.running(scene.home / "token-sidecar.yaml") as sidecar:
        await sidecar.ready()
        finished = await command(*arguments, home=scene.home, environ=environ)
    assert finished.code == 0
    imported = set(TIMED.findall(finished.err))
    assert "click" in imported
    assert imported.isdisjoint(needless)


async def test_nothing_but_its_own_directory_is_taken_for_the_program(scene: Scene) -> None:
    trap = scene.home / "proxy"
    trap.mkdir()
    (trap / "__init__.py").write_text("raise SystemExit('the working directory was believed')")
    (scene.home / "yaml.py").write_text("raise SystemExit('the working directory was believed')")
    async with scene.running() as sidecar:
        await sidecar.ready()
