"""A server as a child process: started with its output in a file, ended by its id."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import AsyncIterator, Mapping
from pathlib import Path

from tests.live.ports import accepts
from tests.support.process import until


@contextlib.asynccontextmanager
async def serving(
    *command: str,
    port: int,
    log: Path,
    environ: Mapping[str, str] | None = None,
    deadline: float = 60,
) -> AsyncIterator[None]:
    """Run ``command`` until the block ends, which begins when it listens on ``port``."""
    with log.open("ab") as output:
        process = await asyncio.create_subprocess_exec(
            *command, stdout=output, stderr=output, env=os.environ | dict(environ or {})
        )

    async def listens() -> bool:
        if process.returncode is not None:
            raise RuntimeError(f"{command[0]} ended: see {log}")
        return await accepts(port)

    try:
        await until(listens, deadline=deadline, what=f"the start of {command[0]} (see {log})")
        yield
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
