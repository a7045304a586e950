"""``make bench-cli``: what ``token`` costs from a cold interpreter, beside an empty program.

Wall time and processor time of the process, each the median of interleaved runs. The ratio that
is judged is the processor's: on a machine that does other things too it is the one that holds.
"""

from __future__ import annotations

import asyncio
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from tests.support.identity_provider import CLIENT, IdentityProvider
from tests.support.process import environment, free_ports, running

RUNS = 21
ALLOWED = 8.0
SECRETS = {"API_SECRET": CLIENT[1], "STORE_KEY": "00" * 32}
EMPTY = (sys.executable, "-c", "pass")
TOKEN = (sys.executable, "-c", "import sys; from proxy.__main__ import main; sys.exit(main())")
"""As the installed command does."""


class Cost(NamedTuple):
    """One run, in milliseconds."""

    wall: float
    processor: float


def run(command: Sequence[str], home: Path) -> Cost:
    """Run it once."""
    before, began = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    env = environment(home, SECRETS)
    done = subprocess.run(command, cwd=home, env=env, capture_output=True, check=False)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode:
        raise RuntimeError(done.stderr.decode())
    used = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Cost(wall * 1000, used * 1000)


def compared(home: Path) -> tuple[Cost, Cost]:
    """The medians of an empty program and of ``token``, run in turn."""
    empty, token = [], []
    for _ in range(RUNS):
        empty.append(run(EMPTY, home))
        token.append(run((*TOKEN, "token", "api"), home))
    return median(empty), median(token)


def median(costs: Sequence[Cost]) -> Cost:
    """Of each kind of time by itself."""
    return Cost(*map(statistics.median, zip(*costs, strict=True)))


async def measured(home: Path, store: str) -> tuple[str, Cost, Cost]:
    """One way to a token: through a sidecar that runs, or from the store of files."""
    async with IdentityProvider() as provider:
        provider.lifetime = 3600
        data, admin = free_ports(2)
        config = home / "token-sidecar.yaml"
        config.write_text(f"""\
listen: 127.0.0.1:{data}
admin: 127.0.0.1:{admin}
store: {store}
credentials:
  api:
    token_url: {provider.token_url}
    client_id: {CLIENT[0]}
    client_secret: {{env: API_SECRET}}
routes: [{{upstream: "https://api.example/", credential: api}}]
""")
        # What changed a moment ago is read in full each time: it may change again unseen.
        await asyncio.sleep(1.5)
        if store != "memory":
            await asyncio.to_thread(run, (*TOKEN, "token", "api"), home)
            return ("from the store of files", *await asyncio.to_thread(compared, home))
        async with running(config, home, admin=f"127.0.0.1:{admin}", environ=SECRETS) as sidecar:
            await sidecar.ready()
            await asyncio.to_thread(run, (*TOKEN, "token", "api"), home)
            return ("through a running sidecar", *await asyncio.to_thread(compared, home))


def told(name: str, cost: Cost, beside: Cost) -> str:
    """One line of the table."""
    wall, processor = cost.wall / beside.wall, cost.processor / beside.processor
    return f"{name:34}{cost.wall:8.1f} ms{wall:5.1f}×{cost.processor:8.1f} ms{processor:5.1f}×"


async def main() -> int:
    """Both ways; 1 where one costs more than is allowed."""
    worst = 0.0
    print(f"{f'medians of {RUNS} runs':34}{'wall':>11}{'':6}{'processor':>11}")
    for store in ("memory", "{file: tokens, encryption_key: {env: STORE_KEY}}"):
        with tempfile.TemporaryDirectory(prefix="bench-") as directory:
            name, empty, token = await measured(Path(directory), store)
        worst = max(worst, token.processor / empty.processor)
        print(told("python -c pass", empty, empty))
        print(told(f"token {name}", token, empty))
    print(f"allowed: {ALLOWED:g}×; {os.cpu_count()} processors, load {os.getloadavg()[0]:.1f}")
    return 0 if worst <= ALLOWED else 1


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
