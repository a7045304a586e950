"""One login of one person, and all the processes that live by it: sidecars, commands, a program.

Each has a configuration file of its own; the store and the credential are the same in all of them.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp

from tests.live.matrix.keys import place
from tests.live.sidecar import Installation, install
from tests.support.process import Finished, command, environment

SECRET = "a-secret-that-all-of-them-share"
"""The client's."""

KEY = "5f" * 32
"""Of the store."""

NAME = "person"
LEAST = 2.0
"""Seconds of life that a command's token must have left: the sidecars renew as soon."""
PAUSE = 0.2


@dataclass(slots=True)
class Tally:
    """What became of the requests of one process, and why of those that failed.

    Attributes:
        outlived: tokens that ended on the way from a command to the API: the machine was too slow
            to tell.
    """

    served: int = 0
    failures: list[str] = field(default_factory=list)
    outlived: int = 0

    def note(self, status: int, said: str) -> None:
        """One answer."""
        if status == 200:
            self.served += 1
        else:
            self.failures.append(f"{status}: {said}")


@dataclass(frozen=True, slots=True)
class Login:
    """Where the login is kept, and what every process is told.

    Attributes:
        home: of the secrets; each process has a directory below it.
        client: who they are at the provider.
        store: the configuration's ``store``.
        api: what the tokens are for, this login's own path there.
    """

    home: Path
    client: str
    token_url: str
    store: dict[str, Any]
    api: str
    http: aiohttp.ClientSession

    def begin(self, refresh_token: str) -> None:
        """Write down what the processes start from."""
        self.home.mkdir(mode=0o700)
        written = {"first.refresh": refresh_token, "client.secret": SECRET, "store.key": KEY}
        for name, content in written.items():
            place(content, self.home / name)

    def install(self, name: str, **top: object) -> Installation:
        """A configuration for one process."""
        return install(self.home / name, self._configuration() | top, {})

    def _configuration(self) -> dict[str, Any]:
        credential = {
            "token_url": self.token_url,
            "grant": "refresh_token",
            "client_id": self.client,
            "client_secret": {"file": str(self.home / "client.secret")},
            "client_auth": "post",
            "refresh_token": {"file": str(self.home / "first.refresh")},
        }
        key = {"encryption_key": {"file": str(self.home / "store.key")}}
        return {
            "credentials": {NAME: credential},
            "routes": [{"path": "/", "upstream": f"{self.api}/", "credential": NAME}],
            "store": self.store | key,
        }

    async def program(self, base: str, end: float) -> Tally:
        """Asks by way of a sidecar until ``end``, in seconds of ``time.monotonic``."""
        tally = Tally()
        while time.monotonic() < end:
            async with self.http.get(f"{base}/anything") as answer:
                tally.note(answer.status, await answer.text())
            await asyncio.sleep(random.uniform(0, PAUSE))
        return tally

    async def commands(self, installation: Installation, end: float) -> Tally:
        """Has a command print a token and shows that to the API, over and over."""
        tally = Tally()
        while time.monotonic() < end:
            began = time.monotonic()
            finished = await token(installation)
            took = time.monotonic() - began
            if finished.code != 0:
                tally.note(finished.code, finished.err)
                continue
            bearer = {"Authorization": f"Bearer {finished.out.strip()}"}
            async with self.http.get(f"{self.api}/anything", headers=bearer) as answer:
                if answer.status == 401 and took > LEAST:
                    tally.outlived += 1
                else:
                    tally.note(answer.status, await answer.text())
            await asyncio.sleep(random.uniform(0, PAUSE))
        return tally

    async def python(self, installation: Installation, seconds: float) -> Tally:
        """A Python program with ``proxy.client``, a process of its own."""
        words = (str(installation.file), NAME, f"{self.api}/anything", f"{seconds:g}")
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.live.shared_program", *words),
            env=environment(installation.home),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
        )
        out, err = await process.communicate()
        if process.returncode != 0:
            return Tally(failures=[err.decode()])
        return Tally(**json.loads(out))


async def token(installation: Installation) -> Finished:
    """What ``token-sidecar token`` says."""
    words = ("token", NAME, "--min-ttl", f"{LEAST:g}s", "--config", str(installation.file))
    return await command(*words, home=installation.home, environ=installation.environ)


@contextlib.asynccontextmanager
async def all_running(installations: list[Installation]) -> AsyncIterator[None]:
    """Sidecars, until the block ends."""
    async with contextlib.AsyncExitStack() as stack:
        for one in installations:
            await stack.enter_async_context(one.running())
        yield


def total(tallies: list[Tally]) -> tuple[int, Counter[str]]:
    """How many requests were served, and what became of the others."""
    failures = Counter(failure for tally in tallies for failure in tally.failures)
    return sum(tally.served for tally in tallies), failures
