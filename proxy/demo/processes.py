"""A process of the demonstration: started by its own id, watched, and stopped whatever happens.

Each gets a session of its own, so that Ctrl-C at the terminal reaches the demonstration alone,
which then ends them in order.
"""

from __future__ import annotations

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final

from proxy.errors import SidecarError

PACKAGES: Final = Path(__file__).resolve().parents[2]
GRACE: Final = 5.0
SHOWN: Final = 15


class DemonstrationError(SidecarError):
    """The demonstration can't go on; the message says where it stopped."""


def module(name: str, *arguments: str) -> tuple[str, ...]:
    """The command that runs a module of ours; never one that lies in the current directory."""
    return (sys.executable, "-P", "-m", name, *arguments)


def environment(extra: Mapping[str, str]) -> dict[str, str]:
    """Ours, with the same packages to be found as we found, and ``extra``."""
    paths = [str(PACKAGES), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, paths)), **extra}


class Child:
    """A running process; what it says on stderr goes to a file.

    Args:
        name: what messages call it.
    """

    def __init__(self, name: str, process: Process, log: Path) -> None:
        self.name = name
        self.log = log
        self._process = process

    @classmethod
    async def start(
        cls,
        name: str,
        command: Sequence[str],
        *,
        log: Path,
        environ: Mapping[str, str],
        heard: bool = True,
    ) -> Child:
        """Start it; its output can be read by ``line`` if it is to be ``heard``, else it is logged.

        Its standard input is a pipe that ends when we end.

        Raises:
            DemonstrationError: the system would not.
        """
        with log.open("ab") as errors:
            try:
                process = await asyncio.create_subprocess_exec(
                    *command,
                    stdin=PIPE,
                    stdout=PIPE if heard else errors,
                    stderr=errors,
                    env=dict(environ),
                    start_new_session=True,
                )
            except OSError as error:
                raise DemonstrationError(f"{name} can't be started: {error}") from error
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self._process.returncode is None

    async def line(self) -> bytes:
        """The next line of its output, with its end; empty once there is none."""
        assert self._process.stdout is not None  # noqa: S101 - it was asked for
        return await self._process.stdout.readline()

    async def wait(self) -> int:
        """Its exit code, when it ends by itself."""
        return await self._process.wait()

    async def stop(self) -> int:
        """Ask it to end, then insist; its exit code. Harmless once it has ended."""
        if self.running:
            self._process.terminate()
            if not await self.ends_within(GRACE):
                self._process.kill()
        return await self._process.wait()

    async def ends_within(self, seconds: float) -> bool:
        """Whether it ends by itself in that time."""
        try:
            async with asyncio.timeout(seconds):
                await self._process.wait()
        except TimeoutError:
            return False
        return True

    def died(self) -> DemonstrationError:
        """What to say when it should still be there and isn't."""
        return self.blamed(f"ended with code {self._process.returncode}")

    def blamed(self, what: str) -> DemonstrationError:
        """What it did wrong, with its last words."""
        lines = self.log.read_text("utf-8", "replace").splitlines()[-SHOWN:]
        said = "\n".join(f"    {line}" for line in lines) or "    (it said nothing)"
        return DemonstrationError(f"{self.name} {what}. Its last words:\n{said}")
