"""One sidecar of the rehearsal: a real process, from its start to the exit code."""

from __future__ import annotations

import asyncio
import os
import signal
import time
from asyncio.subprocess import Process
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from bench.subject import PROGRAM, REPOSITORY

LONGEST = 20.0
"""Seconds that a start, or an end, may take."""
CONFIGURATION = """\
listen: 127.0.0.1:{data}
admin: 127.0.0.1:{admin}
workers: {workers}
state_dir: {home}/state
drain: {{delay: {delay}s, grace: 15s}}
log: {{access: false}}
credentials:
  api:
    token_url: http://127.0.0.1:{upstream}/token
    client_id: rehearsal
    client_secret: {{env: REHEARSAL_SECRET}}
routes:
  - {{path: /, upstream: "http://127.0.0.1:{upstream}/", credential: api}}
"""


@dataclass(slots=True)
class Slot:
    """Where one of the two instances lives; its process comes and goes."""

    home: Path
    data: int
    admin: int
    upstream: int
    workers: int
    delay: float

    def write(self) -> Path:
        """The configuration file."""
        self.home.mkdir(exist_ok=True)
        file = self.home / "config.yaml"
        ports = {"data": self.data, "admin": self.admin, "upstream": self.upstream}
        file.write_text(
            CONFIGURATION.format(**ports, workers=self.workers, home=self.home, delay=self.delay)
        )
        return file


@dataclass(slots=True, eq=False)
class Instance:
    """A running sidecar.

    Attributes:
        stopping: it was told to end.
        late: connections that were opened to it after that.
    """

    slot: Slot
    process: Process
    stopping: bool = False
    late: int = 0
    begun: float = field(default_factory=time.monotonic)

    @property
    def port(self) -> int:
        """Where clients connect."""
        return self.slot.data

    @classmethod
    async def start(cls, slot: Slot, known: list[Instance]) -> Self:
        """Start it, make it ``known``, and wait until it is ready.

        Raises:
            RuntimeError: it ended instead.
            TimeoutError: it took too long.
        """
        arguments = [*PROGRAM, "run", "--config", str(slot.write())]
        environ = {**os.environ, "REHEARSAL_SECRET": "a-secret", "XDG_RUNTIME_DIR": ""}
        with (slot.home / "log").open("ab") as log:
            process = await asyncio.create_subprocess_exec(
                *arguments, cwd=REPOSITORY, env=environ, stdout=log, stderr=log
            )
        instance = cls(slot, process)
        known.append(instance)
        async with asyncio.timeout(LONGEST):
            while not await instance._ready():
                if process.returncode is not None:
                    raise RuntimeError(f"it ended with {process.returncode}: see {slot.home}/log")
                await asyncio.sleep(0.02)
        return instance

    def stop(self) -> None:
        """SIGTERM."""
        self.stopping = True
        self.process.send_signal(signal.SIGTERM)

    async def ended(self) -> int:
        """Its exit code; -9 where it had to be killed."""
        try:
            async with asyncio.timeout(LONGEST):
                return await self.process.wait()
        except TimeoutError:
            self.process.kill()
            return await self.process.wait()

    def kill(self) -> None:
        """Where it still runs."""
        if self.process.returncode is None:
            self.process.kill()

    async def _ready(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.slot.admin)
        except OSError:
            return False
        writer.write(b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        answer = await reader.read()
        writer.close()
        return answer.startswith(b"HTTP/1.1 200")
