"""The sidecar that is reloaded: a real ``token-sidecar run``, asked for reloads in every way."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.subject import PROGRAM, REPOSITORY, ask, resident
from proxy.client.own_socket import own_socket
from proxy.client.wire import Reply
from proxy.client.wire import ask as asked

STARTING = 30.0
RELOAD = 60.0
"""Seconds that a reload may take before it counts as lost."""
ENDING = 40.0


def ready(admin: int) -> None:
    """Wait until every credential has had its token."""
    end = time.monotonic() + STARTING
    while ask(admin, "/readyz", deadline=STARTING) != 200 and time.monotonic() < end:
        time.sleep(0.05)


class Sidecar:
    """It, from the outside."""

    def __init__(self, home: Path, admin: int) -> None:
        self.home = home
        self.file = home / "config.yaml"
        self._admin = admin
        self._process: asyncio.subprocess.Process | None = None
        self._environ = {**os.environ, "XDG_RUNTIME_DIR": str(home)}

    async def start(self) -> None:
        """Run it until it serves."""
        with (self.home / "sidecar.log").open("wb") as log:
            self._process = await asyncio.create_subprocess_exec(
                *(*PROGRAM, "run", "--config", str(self.file)),
                stdout=log,
                stderr=log,
                cwd=REPOSITORY,
                env=self._environ,
            )
        await asyncio.to_thread(ask, self._admin, "/healthz", deadline=STARTING)
        await asyncio.to_thread(ready, self._admin)

    def write(self, content: bytes, *, in_place: bool) -> None:
        """Give it another file: as editors do, or into the old one."""
        if in_place:
            self.file.write_bytes(content)
        else:
            new = self.file.with_suffix(".new")
            new.write_bytes(content)
            new.replace(self.file)

    async def post(self) -> tuple[int, dict[str, Any]]:
        """Ask for a reload; the answer."""
        reply = await self._asked("/v1/reload", "POST")
        return reply.status, json.loads(reply.body)

    def hang_up(self) -> None:
        """Ask for one by a signal, which nobody answers."""
        assert self._process is not None
        self._process.send_signal(signal.SIGHUP)

    async def status(self) -> dict[str, Any]:
        """What ``/v1/status`` says."""
        said: dict[str, Any] = json.loads((await self._asked("/v1/status", "GET")).body)
        return said

    async def counted(self) -> tuple[int, int]:
        """How many reloads were applied and refused."""
        reloads = (await self.status())["reloads"]
        return reloads["applied"], reloads["refused"]

    async def _asked(self, target: str, method: str) -> Reply:
        place = own_socket(self.file, self._environ, self.home / "state")
        fields = {"X-Token-Sidecar": "1"}
        return await asyncio.to_thread(
            asked, place, target, method=method, fields=fields, patience=RELOAD
        )

    @property
    def alive(self) -> bool:
        """Whether the process that was started still runs."""
        return self._process is not None and self._process.returncode is None

    def pids(self) -> Iterator[int]:
        """It and its workers; not what reads for it."""
        assert self._process is not None
        first = self._process.pid
        yield first
        for child in Path(f"/proc/{first}/task/{first}/children").read_text().split():
            if b"answer_all" not in Path(f"/proc/{child}/cmdline").read_bytes():
                yield int(child)

    def reading(self) -> bool:
        """Whether the process that reads configurations is there."""
        assert self._process is not None
        first = self._process.pid
        children = Path(f"/proc/{first}/task/{first}/children").read_text().split()
        return len(children) + 1 > len(list(self.pids()))

    @property
    def memory(self) -> float:
        """Resident, in MiB."""
        return sum(resident(pid) for pid in self.pids())

    @property
    def descriptors(self) -> int:
        """How many are open."""
        return sum(len(list(Path(f"/proc/{pid}/fd").iterdir())) for pid in self.pids())

    @property
    def processor(self) -> float:
        """Seconds of processor time so far."""
        ticks = 0
        for pid in self.pids():
            fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            ticks += int(fields[11]) + int(fields[12])
        return ticks / os.sysconf("SC_CLK_TCK")

    @property
    def log(self) -> str:
        """All that it said."""
        return (self.home / "sidecar.log").read_text(errors="replace")

    async def end(self) -> int:
        """Ask it to end; the exit code."""
        assert self._process is not None
        if self.alive:
            self._process.terminate()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(ENDING):
                    return await self._process.wait()
            self._process.kill()
        return await self._process.wait()
