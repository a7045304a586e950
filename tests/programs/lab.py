"""Everything that real programs need: a provider of short-lived tokens, upstreams that are
programs themselves, a gate before each that judges the token, and the sidecar's process.

What is installed for it lies apart from the product's own environment (``make programs``).
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

from tests.programs.gate import Gate
from tests.support.identity_provider import CLIENT, IdentityProvider
from tests.support.process import Sidecar, environment, free_ports, running, until

HERE = Path(__file__).parent
LIFETIME = 3.0
"""Seconds. The sidecar has a new token about every two."""


class Programs:
    """Where the programs are; what is missing is an error."""

    def __init__(self, installed: Path) -> None:
        self._bin = (installed / "bin").resolve()

    def __getitem__(self, name: str) -> str:
        """The path of ``name``, from the programs' own environment or from the machine."""
        found = shutil.which(name, path=f"{self._bin}:{os.environ['PATH']}")
        if found is None:
            raise RuntimeError(f"{name} is not there: install it, or run `make install-programs`")
        return found

    def script(self, folder: str, name: str) -> tuple[str, str]:
        """The command that runs one of the scripts beside this file."""
        interpreter = self["node"] if name.endswith(".mjs") else str(self._bin / "python")
        return interpreter, str(HERE / folder / name)


class Lab:
    """The sidecar and all around it.

    Attributes:
        gates: name of the upstream → what stands before it.
        base: the sidecar's data plane, ``host:port``.
        table: the Arrow file that is served as the table ``trades``; anyone may read it.
    """

    def __init__(self, programs: Programs, home: Path, provider: IdentityProvider) -> None:
        self.programs = programs
        self.home = home
        self.provider = provider
        self.gates: dict[str, Gate] = {}
        self.base = ""
        self.table = home / "trades.arrow"
        self.sidecar: Sidecar

    @property
    def whoami(self) -> str:
        """Where the token that goes out is told."""
        return f"http://{self.base}/api/v1/whoami"

    async def run(self, *command: str, stdin: bytes = b"", deadline: float = 60) -> bytes:
        """What a program says on stdout until it ends; it must end well."""
        process = await self._start(*command, out=PIPE)
        try:
            async with asyncio.timeout(deadline):
                out, err = await process.communicate(stdin)
        except BaseException:
            process.kill()
            await process.wait()
            raise
        assert process.returncode == 0, f"{command}: {process.returncode}\n{err.decode()}"
        return out

    async def report(self, *command: str) -> dict[str, Any]:
        """The JSON that a program tells."""
        return dict(json.loads(await self.run(*command)))

    async def _start(self, *command: str, out: int) -> Process:
        return await asyncio.create_subprocess_exec(
            *command,
            cwd=self.home,
            env=environment(self.home, {"PYTHONPATH": "", "PYTHONWARNINGS": "default"}),
            stdin=PIPE if out == PIPE else DEVNULL,
            stdout=out,
            stderr=PIPE if out == PIPE else DEVNULL,
        )

    @asynccontextmanager
    async def _serving(self, name: str, *command: str, port: int) -> AsyncIterator[None]:
        """An upstream from when it listens, and its gate."""
        process = await self._start(*command, out=DEVNULL)
        gate = self.gates[name] = Gate(port, self.alive)
        try:
            await gate.start()
            await until(lambda: _accepts(port, process), deadline=60, what=f"{name}'s start")
            yield
        finally:
            await gate.close()
            if process.returncode is None:
                process.kill()
            await process.wait()

    def alive(self, token: str) -> bool:
        """Whether the provider gave this token, less than its lifetime ago."""
        if token not in self.provider.issued:
            return False
        asked = self.provider.requests[self.provider.issued.index(token)].at
        return time.time() < asked + LIFETIME

    def _upstreams(self) -> dict[str, tuple[str, ...]]:
        """The command of each, its port left open."""
        anywhere = ("--addr-postgres", "127.0.0.1:0", "--addr-flight-sql", "127.0.0.1:0")
        table = ("--table", f"trades={self.table}")
        roapi = (self.programs["roapi"], *anywhere, *table, "--addr-http", "127.0.0.1:{port}")
        return {
            "api": (self.programs["go-upstream"], "{port}"),
            "tensors": (*self.programs.script("servers", "tensors.py"), "{port}"),
            "tables": roapi,
            "echo": (*self.programs.script("servers", "echo.py"), "{port}"),
        }

    def _configuration(self, data: str, admin: str) -> str:
        routes = "".join(
            f"  - {{path: /{name}/, credential: api, upstream: 'http://127.0.0.1:{gate.port}/'}}\n"
            for name, gate in self.gates.items()
        )
        return f"""\
listen: {data}
admin: {admin}
credentials:
  api:
    token_url: {self.provider.token_url}
    client_id: {CLIENT[0]}
    client_secret: {{env: API_SECRET}}
routes:
{routes}"""

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Lab]:
        """Every upstream and the sidecar, until the block ends."""
        await self.run(*self.programs.script("servers", "table.py"), str(self.table))
        upstreams = self._upstreams()
        self.base, admin, *ports = (f"127.0.0.1:{port}" for port in free_ports(2 + len(upstreams)))
        async with AsyncExitStack() as stack:
            for (name, command), place in zip(upstreams.items(), ports, strict=True):
                port = place.rpartition(":")[2]
                filled = (part.replace("{port}", port) for part in command)
                await stack.enter_async_context(self._serving(name, *filled, port=int(port)))
            config = self._configuration(self.base, admin)
            secret = {"API_SECRET": CLIENT[1]}
            self.sidecar = await stack.enter_async_context(
                running(config, self.home, admin=admin, environ=secret)
            )
            await self.sidecar.ready()
            yield self


@asynccontextmanager
async def laboratory(installed: Path) -> AsyncIterator[Lab]:
    """All of it, in a directory that goes away."""
    with tempfile.TemporaryDirectory(prefix="programs-") as home:
        async with IdentityProvider() as provider:
            provider.lifetime = LIFETIME
            async with Lab(Programs(installed), Path(home), provider).running() as lab:
                yield lab


async def _accepts(port: int, process: Process) -> bool:
    assert process.returncode is None, "it has ended"
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True
