"""One Keycloak in development mode on free loopback ports, and the ways it can fail.

It speaks plain HTTP and, beside it, TLS that asks for a client's certificate. Knows processes and
signals; realms and clients are the administrator's matter.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from asyncio.subprocess import Process
from dataclasses import dataclass
from pathlib import Path

import aiohttp

from tests.support.certificates import Pair
from tests.support.process import free_ports, until

ADMINISTRATOR = "admin"
PASSWORD = "admin-of-a-throw-away-keycloak"
RELATIVE_PATH = "/auth"


@dataclass(frozen=True, slots=True)
class Release:
    """What differs between Keycloak's releases.

    Attributes:
        home: the variable that says where it is unpacked.
        administrator: the variables that name the first administrator and the password.
        features: what is not on by itself.
    """

    name: str
    home: str
    administrator: tuple[str, str]
    features: str


TODAYS = Release(
    "keycloak",
    "KEYCLOAK_HOME",
    ("KC_BOOTSTRAP_ADMIN_USERNAME", "KC_BOOTSTRAP_ADMIN_PASSWORD"),
    "client-auth-federated:v1,kubernetes-service-accounts:v1",
)
OLD = Release(
    "old-keycloak",
    "OLD_KEYCLOAK_HOME",
    ("KEYCLOAK_ADMIN", "KEYCLOAK_ADMIN_PASSWORD"),
    "token-exchange",
)


class Keycloak:
    """A server started from an unpacked distribution, with a database in a directory of its own.

    Args:
        release: which one; its variable of the environment says where it is.
        work: where its copy, its database and its log are kept.
        shown: the certificate it shows for TLS.
        ca_file: who is believed about clients' certificates, and others' servers.
        host: the address it listens on: loopback, unless others than this machine ask.
    """

    def __init__(
        self, release: Release, work: Path, shown: Pair, ca_file: Path, host: str = "127.0.0.1"
    ) -> None:
        self.release = release
        self._home = work / release.name
        self._log = work / f"{release.name}.log"
        self._shown, self._ca_file, self._host = shown, ca_file, host
        self._process: Process | None = None
        self.port, self.secure_port = free_ports(2)

    @property
    def base(self) -> str:
        """Its URL, with the path that vendors' installations have before ``/realms``."""
        return f"http://127.0.0.1:{self.port}{RELATIVE_PATH}"

    @property
    def secure_base(self) -> str:
        """The same over TLS, where clients may show a certificate."""
        return f"https://localhost:{self.secure_port}{RELATIVE_PATH}"

    async def start(self, http: aiohttp.ClientSession) -> None:
        """Start it and wait until it answers; a second start finds what the first one stored."""
        if not self._home.exists():
            source = os.environ[self.release.home]
            await asyncio.to_thread(shutil.copytree, source, self._home)
        with self._log.open("ab") as log:
            self._process = await asyncio.create_subprocess_exec(
                *("sh", str(self._home / "bin/kc.sh"), "start-dev", *self._options()),
                stdout=log,
                stderr=log,
                start_new_session=True,
                env=os.environ | self._variables(),
            )
        await until(lambda: self._answers(http), deadline=240, what=f"its start (see {self._log})")

    def _options(self) -> tuple[str, ...]:
        return (
            f"--http-host={self._host}",
            f"--http-port={self.port}",
            f"--http-relative-path={RELATIVE_PATH}",
            f"--https-port={self.secure_port}",
            f"--https-certificate-file={self._shown.cert_file}",
            f"--https-certificate-key-file={self._shown.key_file}",
            "--https-client-auth=request",
            f"--truststore-paths={self._ca_file}",
            f"--features={self.release.features}",
        )

    def _variables(self) -> dict[str, str]:
        names = self.release.administrator
        first = dict(zip(names, (ADMINISTRATOR, PASSWORD), strict=True))
        return first | {"JAVA_OPTS_KC_HEAP": "-Xms64m -Xmx512m"}

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
