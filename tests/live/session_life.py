"""One login that outlives processes: a sidecar with a store of files, killed and started again.

Every refresh goes through a turnstile, so it is known which of the tokens on the disk the provider
would still honour.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
import signal
import sys
from collections.abc import Awaitable, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path

import aiohttp
import yaml

from proxy.clock import SystemClock
from proxy.config.load import load
from proxy.stores.file.boot import boot_id
from proxy.stores.file.record import Boot, decode
from proxy.stores.identity import identity
from proxy.stores.key import Key, text_of
from proxy.stores.sealing import Damaged, Seal
from tests.live import mortal
from tests.live.matrix.keys import place
from tests.live.ports import accepts
from tests.live.sidecar import Installation, install
from tests.live.turnstile import Turnstile
from tests.live.verified_api import Ledger, VerifiedApi
from tests.support.process import PROGRAM, Sidecar, running, until

LIFETIME = 2
"""Seconds that these tokens live."""

PATIENCE = 120
"""Seconds until something that did not happen is taken for not happening at all: processes start
and end here all the time, and all the servers share this machine."""

CLIENT, SECRET = "mortal", "a-secret-of-a-mortal"
KEY = Key(bytes(range(32)), "the key of the tests")
"""Of the store."""

ENVIRON = {"MORTAL_SECRET": SECRET, "STORE_KEY": text_of(KEY.value)}
FIRST = "first.refresh"
LOST = ("answered", "cut", "unwritten", "half")
"""Points at which the provider has answered and its answer is not on the disk as a whole."""

POINTS = ("asked", *LOST, "written", "renamed", "used", "drained", "random")
"""Around a refresh, in their order; drained: SIGTERM while the answer is under way."""


@dataclass(frozen=True, slots=True)
class Rotating:
    """A provider that rotates refresh tokens and punishes reuse.

    Attributes:
        url: the token endpoint, seen through a turnstile.
        first: logs in, and gives the first refresh token.
        ledger: what the API may believe, and the keys' URL.
    """

    url: Callable[[Turnstile], str]
    first: Callable[[str], Awaitable[str]]
    ledger: Callable[[Turnstile], tuple[Ledger, str]]


@dataclass(slots=True)
class Life:
    """One session; ``name`` is also its path at the API."""

    name: str
    rotating: Rotating
    turnstile: Turnstile
    installation: Installation
    ledger: Ledger
    http: aiohttp.ClientSession
    numbers: random.Random = field(default_factory=random.Random)

    async def begin(self) -> None:
        """Log in anew."""
        token = await self.rotating.first(self.rotating.url(self.turnstile))
        place(token, self.installation.home / FIRST)

    def held(self) -> set[str]:
        """The refresh tokens on the disk: the entry's, or one that was to replace it."""
        file = self.installation.file
        credential = load(file, {}).credentials["session"]
        name, seal, now = identity(credential), Seal(KEY), Boot(boot_id(), SystemClock().now())
        found = set()
        for path in (self.installation.home / "tokens").glob("*.entry*"):
            with contextlib.suppress(Damaged):
                entry = decode(seal.open(path.read_bytes(), name, str(path)), now)
                if entry.refresh is not None:
                    found.add(entry.refresh.value.reveal())
        return found or {(self.installation.home / FIRST).read_text()}

    async def die(self, point: str) -> None:
        """Start a process and have it killed at this point of its first refresh."""
        if point in mortal.POINTS:
            await self._fall(point)
        else:
            async with self._running(PROGRAM) as sidecar:
                await getattr(self, f"_{point}")(sidecar)
        self.turnstile.open()

    async def _fall(self, point: str) -> None:
        program = (sys.executable, "-P", "-m", "tests.live.mortal", point)
        async with self._running(program) as sidecar:
            assert await sidecar.ended(PATIENCE) == -signal.SIGKILL, sidecar.err

    async def _asked(self, sidecar: Sidecar) -> None:
        self.turnstile.before.close()
        await self._killed(sidecar, self.turnstile.before.reached)

    async def _answered(self, sidecar: Sidecar) -> None:
        self.turnstile.after.close()
        await self._killed(sidecar, self.turnstile.after.reached)

    async def _cut(self, sidecar: Sidecar) -> None:
        self.turnstile.half = True
        await self._killed(sidecar, self.turnstile.halved)

    async def _drained(self, sidecar: Sidecar) -> None:
        self.turnstile.after.close()
        async with asyncio.timeout(PATIENCE):
            await self.turnstile.after.reached.wait()
        sidecar.send(signal.SIGTERM)
        await asyncio.sleep(0.1)
        self.turnstile.open()
        assert await sidecar.ended(PATIENCE) == 0, sidecar.err

    async def _used(self, sidecar: Sidecar) -> None:
        known = len(self.ledger.tokens)

        async def shown() -> bool:
            return (await self.ask())[0] == 200 and len(self.ledger.tokens) > known

        await until(shown, deadline=PATIENCE, what="a new token at the API")
        await killed(sidecar)

    async def _random(self, sidecar: Sidecar) -> None:
        await asyncio.sleep(self.numbers.uniform(0, 2 * LIFETIME))
        await killed(sidecar)

    async def _killed(self, sidecar: Sidecar, reached: asyncio.Event) -> None:
        async with asyncio.timeout(PATIENCE):
            await reached.wait()
        await killed(sidecar)

    async def survives(self, point: str) -> bool:
        """Whether a new process refreshes by itself; where not, it has to say what to do."""
        honoured = any(not self.turnstile.used[token] for token in self.held())
        answers = self.turnstile.used.total() - self.turnstile.refused.total()
        async with self._running(PROGRAM) as sidecar:
            await until(
                lambda: accepts(self.installation.port), deadline=PATIENCE, what="listening"
            )

            async def decided() -> bool:
                if self.turnstile.used.total() - self.turnstile.refused.total() > answers:
                    return True
                status, text = await self.ask()
                return status != 200 and "login needed" in text

            await until(decided, deadline=PATIENCE, what="a refresh, or a word about it")
            status, text = await self.ask()
            assert await sidecar.stop(PATIENCE) == 0, sidecar.err
        assert (status == 200) == honoured, (point, honoured, text, self.turnstile.refused)
        if not honoured:
            assert status == 503, text
            assert "log in again" in json.loads(text)["detail"], text
        return honoured

    async def ask(self) -> tuple[int, str]:
        """A program's request; status 0 where nobody listens."""
        try:
            async with self.http.get(f"{self.installation.base}/anything") as answer:
                return answer.status, await answer.text()
        except aiohttp.ClientError as error:
            return 0, str(error)

    def twin(self, home: Path) -> Installation:
        """Another process with the same login and the same store."""
        whole = yaml.safe_load(self.installation.file.read_text())
        return install(home, whole, ENVIRON)

    def _running(self, program: tuple[str, ...]) -> AbstractAsyncContextManager[Sidecar]:
        place = self.installation
        return running(place.file, place.home, environ=place.environ, program=program)


async def killed(sidecar: Sidecar) -> None:
    """SIGKILL, and gone."""
    sidecar.send(signal.SIGKILL)
    await sidecar.ended(10)


async def life(
    name: str,
    rotating: Rotating,
    turnstile: Turnstile,
    api: VerifiedApi,
    http: aiohttp.ClientSession,
    home: Path,
) -> Life:
    """A session that just began, and an API that knows it."""
    ledger, keys = rotating.ledger(turnstile)
    await api.expect(name, ledger, keys)
    whole = configuration(rotating.url(turnstile), f"{api.url}/{name}/", home)
    begun = Life(name, rotating, turnstile, install(home, whole, ENVIRON), ledger, http)
    await begun.begin()
    return begun


def configuration(token_url: str, upstream: str, home: Path) -> dict[str, object]:
    """One credential that lives by its refresh token, and what it reads and keeps at ``home``."""
    credential = {
        "token_url": token_url,
        "grant": "refresh_token",
        "client_id": CLIENT,
        "client_secret": {"env": "MORTAL_SECRET"},
        "client_auth": "post",
        "refresh_token": {"file": str(home / FIRST)},
    }
    return {
        "credentials": {"session": credential},
        "routes": [{"path": "/", "upstream": upstream, "credential": "session"}],
        "store": {"file": str(home / "tokens"), "encryption_key": {"env": "STORE_KEY"}},
    }
