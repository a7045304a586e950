"""The compose file's Keycloak, natively: no image registry is needed to see its realm imported."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import yaml

from tests.deploy.documents import REPOSITORY
from tests.support.process import free_ports, until

FOLDER = REPOSITORY / "deploy/compose"
INSIDE = "http://keycloak:8080"
"""Where containers find it."""


def services() -> dict[str, Any]:
    """The compose file's services."""
    found: dict[str, Any] = yaml.safe_load((FOLDER / "compose.yaml").read_text())["services"]
    return found


@contextlib.asynccontextmanager
async def keycloak(work: Path) -> AsyncIterator[str]:
    """Keycloak with the service's own command, environment and realm; its URL, once it answers."""
    home, service = work / "keycloak", services()["keycloak"]
    await asyncio.to_thread(shutil.copytree, os.environ["KEYCLOAK_HOME"], home)
    for source, target in (volume.split(":")[:2] for volume in service["volumes"]):
        place = home / Path(target).relative_to("/opt/keycloak")
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(FOLDER / source, place)
    port, management = free_ports(2)
    ports = (f"--http-port={port}", f"--http-management-port={management}")
    with (work / "keycloak.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            *("sh", str(home / "bin/kc.sh"), *service["command"], *ports),
            *("--http-host=127.0.0.1",),
            env=os.environ | service["environment"] | {"JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx512m"},
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
    try:
        base = f"http://127.0.0.1:{port}"
        await until(lambda: _answers(base, process), deadline=480, what="Keycloak's start")
        yield base
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _answers(base: str, process: asyncio.subprocess.Process) -> bool:
    assert process.returncode is None, "Keycloak ended"
    await asyncio.sleep(0.5)  # the machine has its start to do
    with contextlib.suppress(aiohttp.ClientError):
        async with aiohttp.ClientSession() as http, http.get(f"{base}/realms/demo") as answer:
            return answer.status == 200
    return False
