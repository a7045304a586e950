"""Callers from elsewhere, as a program: ``python -m tests.kube.traffic URL``, until SIGTERM.

Every request has a connection of its own, so that Services choose a pod for each. At the end a
line of JSON: how many had which answer, and what went wrong first.
"""

from __future__ import annotations

import asyncio
import json
import signal
import sys
from collections import Counter

import aiohttp

CALLERS, PAUSE = 6, 0.1
"""Seconds that each thinks between two requests."""


async def caller(http: aiohttp.ClientSession, url: str, tally: Counter[str]) -> None:
    """One program, which asks until the end."""
    while True:
        try:
            async with http.get(url) as answer:
                text = await answer.text()
                tally["200" if answer.status == 200 else f"{answer.status}: {text[:200]}"] += 1
        except (aiohttp.ClientError, TimeoutError) as error:
            tally[f"{type(error).__name__}: {error}"] += 1
        await asyncio.sleep(PAUSE)


async def main(url: str) -> None:
    """Until SIGTERM; what each answer was goes to stdout."""
    told = asyncio.Event()
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
    tally: Counter[str] = Counter()
    connector = aiohttp.TCPConnector(force_close=True)
    limit = aiohttp.ClientTimeout(total=30)
    async with aiohttp.ClientSession(connector=connector, timeout=limit) as http:
        callers = [asyncio.create_task(caller(http, url, tally)) for _ in range(CALLERS)]
        await told.wait()
        for one in callers:
            one.cancel()
        await asyncio.gather(*callers, return_exceptions=True)
    sys.stdout.write(json.dumps(tally) + "\n")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1]))
