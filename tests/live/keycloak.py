"""One Keycloak in development mode on a free loopback port, and the ways it can fail.

Knows processes and signals; realms and clients are the admin's matter.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from asyncio.subprocess import Process
from pathlib import Path

import aiohttp

from tests.support.process import until

ADMINISTRATOR = "admin"
PASSWORD = "admin-of-a-throw-away-keycloak"
RELATIVE_PATH = "/auth"


class Keycloak:
    """A server started from an unpacked distribution, with a database in a directory of its own."""

    def __init__(self, distribution: Path, work: Path, port: int) -> None:
        self._home = work / "keycloak"
        self._distribution = distribution
        self._log = work / "keycloak.log"
        self._process: Process | None = None
        self.port = port

    @property
    def base(self) -> str:
        """Its URL, with the path that vendors' installations have before ``/realms``."""
        return f"http://127.0.0.1:{self.port}{RELATIVE_PATH}"

    async def start(self, http: aiohttp.ClientSession) -> None:
        """Start it and wait until it answers; a second start finds what the first one stored."""
        if not self._home.exists():
            await asyncio.to_thread(shutil.copytree, self._distribution, self._home)
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *("sh", str(self._home / "bin/kc.sh"), "start-dev"),
                *("--http-host=127.0.0.1", f"--http-port={self.port}"),
                f"--http-relative-path={RELATIVE_PATH}",
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ
                | {
                    "KC_BOOTSTRAP_ADMIN_USERNAME": ADMINISTRATOR,
                    "KC_BOOTSTRAP_ADMIN_PASSWORD": PASSWORD,
                },
            )
        await until(lambda: self._answers(http), deadline=240, what=f"its start (see {self._log})")

    async def _answers(self, http: aiohttp.ClientSession) -> bool:
        if self._process is None or self._process.returncode is not None:
            raise RuntimeError(f"Keycloak ended: see {self._log}")
        try:
            limit = aiohttp.ClientTimeout(total=2)
            async with http.get(f"{self.base}/realms/master", timeout=limit) as answer:
                return answer.status == 200
        except (aiohttp.ClientError, TimeoutError):
            return False

    def pause(self) -> None:
        """It hangs: connections open, nothing answers."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """It goes on where it was paused."""
        self._signal(signal.SIGCONT)

    async def kill(self) -> None:
        """It is gone without a word; its port refuses connections."""
        if self._process is not None and self._process.returncode is None:
            self._signal(signal.SIGKILL)
            await self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        if self._process is None:
            raise RuntimeError("Keycloak was never started")
        os.killpg(self._process.pid, number)
