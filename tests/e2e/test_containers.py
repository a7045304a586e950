"""Containers: a read-only root, a volume that is open to a group, or nothing to write to at all."""

from __future__ import annotations

import os
import stat
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import aiohttp
import pytest

from tests.e2e.conftest import ENVIRON, Scene
from tests.support import powerless
from tests.support.process import PROGRAM, Sidecar, command, running

NOBODY = 65534
POWERLESS = (sys.executable, "-P", powerless.__file__, *PROGRAM)
"""What other users may not write to it may not either, even if we are root."""


@asynccontextmanager
async def contained(scene: Scene, config: str, **environ: str) -> AsyncIterator[Sidecar]:
    """The sidecar without a runtime directory, whose home can't be written to."""
    root = scene.home / "root"
    root.mkdir()
    root.chmod(0o555)
    given = {**ENVIRON, "XDG_RUNTIME_DIR": "", "HOME": str(root), "XDG_STATE_HOME": "", **environ}
    async with running(
        config, scene.home, admin=scene.admin, environ=given, program=POWERLESS
    ) as sidecar:
        yield sidecar


@pytest.fixture
def volume(scene: Scene) -> Path:
    """As Kubernetes mounts an emptyDir: somebody else's, for a group, open to all."""
    made = scene.home / "volume"
    made.mkdir()
    made.chmod(0o2777)
    if os.geteuid() == 0:
        os.chown(made, NOBODY, NOBODY)
        made.chmod(0o2777)
    return made


def directories(volume: Path) -> dict[str, int]:
    """Those below ``volume`` with their permissions."""
    below = (one for one in volume.rglob("*") if one.is_dir())
    return {one.name: stat.S_IMODE(one.stat().st_mode) & 0o777 for one in below}


@pytest.mark.parametrize("workers", [1, 2])
async def test_in_a_volume_that_is_open_to_others_it_has_directories_of_its_own(
    scene: Scene, volume: Path
) -> None:
    config = scene.config(f"state_dir: {volume}/state\nstore: file")
    async with contained(scene, config) as sidecar:
        await sidecar.ready()
        assert "WARNING" not in sidecar.err
        made = directories(volume)
        assert made.keys() >= {"state", "run", "tokens"}
        assert set(made.values()) == {0o700}
        config_file = str(scene.home / "config.yaml")
        environ = {"XDG_RUNTIME_DIR": ""}
        found = await command(
            "healthcheck", "--config", config_file, home=scene.home, environ=environ
        )
        assert found.code == 0
        assert await sidecar.stop() == 0


@pytest.mark.parametrize("workers", [1, 2])
async def test_with_nothing_to_write_to_it_forwards_and_says_what_it_lacks(
    scene: Scene, client: aiohttp.ClientSession
) -> None:
    async with contained(scene, scene.config()) as sidecar:
        await sidecar.ready()
        assert (await client.get(scene.url + "/api/")).status == 200
        (warning,) = [line for line in sidecar.err.splitlines() if "WARNING" in line]
        assert "own_socket: can't make the directory" in warning
        assert "set XDG_RUNTIME_DIR or state_dir to one that can be written" in warning
        assert await sidecar.stop() == 0


async def test_a_volume_itself_is_no_place_for_tokens(scene: Scene, volume: Path) -> None:
    config = scene.config(f"state_dir: {volume}\nstore: {{file: {volume}}}")
    async with contained(scene, config) as sidecar:
        assert await sidecar.ended() == 1
        assert f"{volume} " in sidecar.err
        assert "Traceback" not in sidecar.err
