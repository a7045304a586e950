"""Looks for secrets where none may be: in files, and in the environments of all processes."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable
from dataclasses import dataclass, field
from pathlib import Path

PROC = Path("/proc")
LOOK_AGAIN = 0.5
"""Seconds between two looks at the processes: a command lives about as long."""


@dataclass(slots=True)
class Search:
    """What is looked for, and where it was found.

    Attributes:
        needles: each by what it is.
        found: places with the name of what was there.
        files, processes: how many were looked at.
    """

    needles: dict[str, bytes]
    found: set[str] = field(default_factory=set)
    files: int = 0
    processes: set[str] = field(default_factory=set)

    def look(self, where: str, content: bytes) -> None:
        """Note what is in it."""
        for name, needle in self.needles.items():
            if needle in content:
                self.found.add(f"{name} in {where}")

    def directories(self, *directories: Path) -> None:
        """Look into every file below them."""
        for directory in directories:
            for path in sorted(directory.rglob("*")):
                if path.is_file():
                    self.files += 1
                    self.look(str(path), path.read_bytes())

    def environments(self) -> None:
        """Look at the environment and the command line of every process there is."""
        for process in PROC.glob("[0-9]*"):
            for name in ("environ", "cmdline"):
                with contextlib.suppress(OSError):  # it has just ended
                    self.look(f"{process}/{name}", (process / name).read_bytes())
                    self.processes.add(process.name)

    @contextlib.asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """Look at the processes over and over while the block runs."""

        async def watch() -> None:
            while True:
                await asyncio.to_thread(self.environments)
                await asyncio.sleep(LOOK_AGAIN)

        watcher = asyncio.create_task(watch())
        try:
            yield
        finally:
            watcher.cancel()
            await asyncio.gather(watcher, return_exceptions=True)


def holds(directory: Path, content: bytes) -> bool:
    """Whether a file below it has this: that the right place is searched."""
    return any(content in path.read_bytes() for path in directory.rglob("*") if path.is_file())


def beginnings(tokens: Iterable[str]) -> dict[str, bytes]:
    """What all tokens of these kinds begin with: a JWT's header, which names its key."""
    return {f"a token like {token[:12]}…": token.partition(".")[0].encode() for token in tokens}
