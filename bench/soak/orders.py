"""How the soak's processes talk: one JSON document a line, orders in, answers out.

A program ends when its orders end, so nothing outlives the soak, however that ends.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

MOST_LINE = 1 << 28
REPOSITORY = Path(__file__).resolve().parents[2]


async def obey(act: Callable[[dict[str, Any]], object], first: object) -> None:
    """Say ``first``, then answer every order until there are no more."""
    reader = asyncio.StreamReader(limit=MOST_LINE)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    print(json.dumps(first), flush=True)
    while line := await reader.readline():
        print(json.dumps(act(json.loads(line))), flush=True)


class Program:
    """A program of the soak, from the outside; ``ports`` by name are what it says first."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._turn = asyncio.Lock()
        self.ports: dict[str, int] = {}

    @classmethod
    async def start(cls, module: str, log: Path) -> Self:
        """Run ``python -m module``; its stderr goes to ``log``."""
        with log.open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-m", module),
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
                cwd=REPOSITORY,
                limit=MOST_LINE,
            )
        program = cls(process)
        program.ports = await program.hear()
        return program

    async def ask(self, do: str, **order: object) -> Any:
        """Give an order; the answer, which is heard even if nobody waits for it any more."""
        return await asyncio.shield(self._ask({"do": do} | order))

    async def _ask(self, order: dict[str, object]) -> Any:
        assert self._process.stdin is not None
        async with self._turn:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            return await self.hear()

    async def hear(self) -> Any:
        """The next line it says."""
        assert self._process.stdout is not None
        async with asyncio.timeout(60):
            return json.loads(await self._process.stdout.readline())

    async def end(self) -> None:
        """Let it end; kill it if it does not."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(10):
                await self._process.wait()
        if self._process.returncode is None:
            self._process.kill()
            await self._process.wait()
