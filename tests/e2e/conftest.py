"""A provider, an upstream and a sidecar's configuration between them."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.support.identity_provider import CLIENT, IdentityProvider
from tests.support.process import Sidecar, free_ports, running, until
from tests.support.upstream import Upstream, upstream

SECRET = CLIENT[1]
ENVIRON = {"API_SECRET": SECRET}


@dataclass
class Scene:
    """Everything around one sidecar."""

    home: Path
    provider: IdentityProvider
    upstream: Upstream
    data: str
    admin: str
    workers: int = 1

    @property
    def url(self) -> str:
        """The data plane."""
        return f"http://{self.data}"

    def config(self, more: str = "", *, credential: str = "", route: str = "") -> str:
        """One credential, one route at ``/api/``; further lines for the file, both of them."""
        return f"""\
listen: {self.data}
admin: {self.admin}
{more}
credentials:
  api:
    token_url: {self.provider.token_url}
    client_id: {CLIENT[0]}
    client_secret: {{env: API_SECRET}}
{credential}
routes:
  - path: /api/
    upstream: {self.upstream.url}/v1/
    credential: api
{route}
{f"workers: {self.workers}" if self.workers != 1 else ""}
"""

    def running(self, config: str | Path | None = None) -> AbstractAsyncContextManager[Sidecar]:
        """The sidecar, with this configuration (text, or a file) or the usual one."""
        given = self.config() if config is None else config
        return running(given, self.home, admin=self.admin, environ=ENVIRON)

    async def at_work(self, sidecar: Sidecar) -> None:
        """Wait until it is ready, with all of its workers."""

        async def complete() -> bool:
            return self.workers == 1 or sidecar.err.count(": at work") == self.workers

        await sidecar.ready()
        await until(complete, what="every worker at work")

    async def refused(self) -> bool:
        """Whether nobody listens on the data plane's port now."""
        host, port = self.data.split(":")
        try:
            _, writer = await asyncio.open_connection(host, int(port))
        except OSError:
            return True
        writer.close()
        await writer.wait_closed()
        return False


@pytest.fixture
def home() -> Iterator[Path]:
    """A directory whose path is short enough for Unix sockets in it."""
    with tempfile.TemporaryDirectory(prefix="sidecar-") as directory:
        yield Path(directory)


@pytest.fixture
def workers() -> int:
    """How many processes forward; modules whose tests hold for any number say so."""
    return 1


@pytest.fixture
async def scene(home: Path, workers: int) -> AsyncIterator[Scene]:
    async with IdentityProvider() as provider, upstream() as served:
        data, admin = (f"127.0.0.1:{port}" for port in free_ports(2))
        yield Scene(home, provider, served, data, admin, workers)


@pytest.fixture
async def client() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession() as session:
        yield session
