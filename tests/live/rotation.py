"""A client's secret that changes every few seconds, at Keycloak and in its place, one by one.

Whichever comes first: between the two only one of them knows the new secret, as in every rotation.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp

from tests.live.admin import Administrator
from tests.live.sidecar import Installation
from tests.support.process import Sidecar, free_ports
from tests.support.secret_places import Place

CLIENT = "api-client"
REALM = "rotation"
LIFESPAN = 5
"""Seconds that a token lives: so short that every secret is needed."""
PERIOD = 5.0
APART = 1.0
"""Seconds at most between the change here and the change there."""
LEAST = 3.0
"""Seconds at least from the end of one rotation to the next."""
CLIENTS = 32


@dataclass(slots=True)
class Rotation:
    """One source's part of the run, and what came of it."""

    name: str
    client: str
    place: Place
    administrator: Administrator
    secret: str = field(default_factory=lambda: f"canary-{secrets.token_urlsafe(24)}")
    rotations: int = 0
    answers: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    slowest: float = 0.0

    async def enrol(self) -> None:
        """Make the client at Keycloak, and put its secret in its place."""
        await self.administrator.client(REALM, self.client, self.secret, LIFESPAN)
        self.place.put(self.secret)

    async def rotate(self, end: float) -> None:
        """Change it every five seconds, here first and there first in turn."""
        while time.monotonic() + PERIOD < end:
            began = time.monotonic()
            self.secret = f"canary-{secrets.token_urlsafe(24)}"
            if self.rotations % 2:
                self.place.put(self.secret)
                await asyncio.sleep(random.uniform(0, APART))
                await self._tell()
            else:
                await self._tell()
                await asyncio.sleep(random.uniform(0, APART))
                self.place.put(self.secret)
            self.rotations += 1
            # However slow the machine: one that is over before the next begins, as everywhere.
            await asyncio.sleep(max(LEAST, PERIOD - (time.monotonic() - began)))

    async def _tell(self) -> None:
        await self.administrator.rotate(REALM, self.client, self.secret)

    async def load(self, base: str, end: float, pause: float) -> None:
        """Programs that ask over and over."""
        connector = aiohttp.TCPConnector(limit=CLIENTS)
        async with aiohttp.ClientSession(connector=connector) as http, asyncio.TaskGroup() as group:
            for _ in range(CLIENTS):
                group.create_task(self._program(http, base, end, pause))

    async def _program(
        self, http: aiohttp.ClientSession, base: str, end: float, pause: float
    ) -> None:
        while (began := time.monotonic()) < end:
            try:
                async with http.get(f"{base}/x") as answer:
                    text = await answer.text()
            except aiohttp.ClientError as error:
                self.answers[0] += 1
                self.wrong.append(f"{type(error).__name__}: {error}")
            else:
                self.answers[answer.status] += 1
                if answer.status != 200:
                    self.wrong.append(f"{answer.status}: {text[:300]}")
            self.slowest = max(self.slowest, time.monotonic() - began)
            await asyncio.sleep(pause)


@contextlib.asynccontextmanager
async def rotating(
    rotation: Rotation, home: Path, token_url: str, upstream: str
) -> AsyncIterator[tuple[Installation, Sidecar]]:
    """A sidecar that has the secret from its place, ready."""
    port, admin = free_ports(2)
    credential = f"token_url: {token_url}\n    client_id: {rotation.client}\n    "
    (home / "config.yaml").write_text(f"""\
listen: 127.0.0.1:{port}
admin: 127.0.0.1:{admin}
log: {{access: false}}
{rotation.place.section}
credentials:
  api:
    {credential}{rotation.place.key}
routes: [{{path: /, upstream: "{upstream}", credential: api}}]
""")
    installed = Installation(home, port, f"127.0.0.1:{admin}", rotation.place.environ)
    async with installed.running() as sidecar:
        await sidecar.ready()
        yield installed, sidecar
