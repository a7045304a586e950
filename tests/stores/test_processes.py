"""Processes that are killed, and processes that race, with refresh tokens that may be used once.

``ROUNDS`` says how often: a few by default, 200 for a long look.
"""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

import pytest

from proxy.stores.identity import identity
from proxy.tokens.ports import TokenStore
from tests.support.clock import FakeClock
from tests.support.identity_provider import CLIENT, IdentityProvider, Reply
from tests.support.mortal import POINTS, Errand
from tests.support.process import environment, until
from tests.support.redis_server import RedisServer, redis_server, redis_store
from tests.support.stores import KEY, file_store, full_entry

ROUNDS = int(os.environ.get("ROUNDS", "8"))
PROGRAM = (sys.executable, "-P", "-m", "tests.support.mortal")
SURVIVES = {
    "reading": True,
    "unasked": True,
    "unanswered": False,
    "unwritten": False,
    "half": False,
    "written": True,
    "renamed": True,
    "used": True,
}
"""Whether the login outlives the process: whether the provider still takes a token that we hold.
"""


@pytest.fixture
async def provider() -> AsyncIterator[IdentityProvider]:
    async with IdentityProvider() as provider:
        provider.refresh_lifetime, provider.kills_families = 3600, True
        yield provider


@dataclass
class Session:
    """One login and the processes that live on it."""

    provider: IdentityProvider
    home: Path
    logins: int = 0

    def log_in(self) -> None:
        """A person logs in and configures the new refresh token."""
        self.logins += 1
        self.provider.accept_refresh_token(f"first-{self.logins}")

    def errand(self, **more: object) -> Errand:
        client, secret = CLIENT
        first = f"first-{self.logins}"
        errand = Errand(str(self.home), self.provider.token_url, client, secret, first)
        return replace(errand, **more)  # type: ignore[arg-type]

    async def honoured(self) -> bool:
        """Whether the provider takes what the store holds, or the configured first one."""
        errand = self.errand()
        store, name = errand.store(), identity(errand.credential)
        async with store.lock(name):
            held = (await store.load(name)).refresh
        await store.close()
        return self.provider.honours(errand.first if held is None else held.value.reveal())

    async def dies(self, point: str) -> list[str]:
        """What a process said that refreshed once and died at this point of the second time."""
        if point in POINTS:
            async with running(self.errand(point=point), self.home) as process:
                return await said(process)
        return await self._dies_at_the_provider(point)

    async def _dies_at_the_provider(self, point: str) -> list[str]:
        reply = Reply(hang=True) if point == "unasked" else Reply(lost=True)
        asked = self.provider.asked
        self.provider.script = [Reply(), reply]
        async with running(self.errand(point="used"), self.home) as process:

            async def waits() -> bool:
                there = self.provider.asked == asked + 2
                issued = point == "unasked" or len(self.provider.issued) == self.provider.asked
                return there and issued

            try:
                await until(waits, what="the second request")
            except TimeoutError:  # the first one failed: there is no second
                self.provider.script = []
            process.kill()
            return await said(process)


@asynccontextmanager
async def running(errand: Errand, home: Path) -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *PROGRAM,
        cwd=home,
        env=environment(home, errand.environ),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def said(process: asyncio.subprocess.Process) -> list[str]:
    async with asyncio.timeout(60):
        out, _ = await process.communicate()
    return out.decode().splitlines()


@pytest.mark.parametrize("point", SURVIVES)
async def test_a_login_outlives_sigkill_where_the_provider_takes_a_token_that_we_hold(
    provider: IdentityProvider, tmp_path: Path, point: str
) -> None:
    session = Session(provider, tmp_path)
    session.log_in()
    for _ in range(max(1, ROUNDS // len(SURVIVES))):
        first = await session.dies(point)
        assert first[0].startswith("token "), first
        assert await session.honoured() is SURVIVES[point]
        async with running(session.errand(), tmp_path) as process:
            (word,) = await said(process)
        if SURVIVES[point]:
            assert word.startswith("token ")
        else:
            assert word.startswith("failed credential api: login needed: ")
            assert "log in again" in word
            session.log_in()
    assert (provider.reused == 0) is SURVIVES[point]


@pytest.fixture(params=["file", "redis"])
def redis(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[RedisServer | None]:
    """The store; None: files are."""
    if request.param == "file":
        yield None
        return
    with redis_server(tmp_path) as server:
        yield server


async def test_processes_that_race_ask_once_a_renewal(
    provider: IdentityProvider, tmp_path: Path, redis: RedisServer | None
) -> None:
    provider.lifetime = 2
    session = Session(provider, tmp_path)
    session.log_in()
    seconds = 4.0 + ROUNDS / 10
    errand = session.errand(seconds=seconds, redis=redis.port if redis else 0)
    async with running(errand, tmp_path) as one, running(errand, tmp_path) as other:
        heard = [set(words) for words in await asyncio.gather(said(one), said(other))]
    issued = {f"token {token}" for token in provider.issued}
    assert provider.asked == len(issued) <= (seconds + 2) / (0.6 * provider.lifetime) + 2
    assert (provider.busiest, provider.reused) == (1, 0)
    assert heard[0] <= issued
    assert heard[1] <= issued
    # Only at the very ends may one have heard of a token that the other was not there for.
    assert len(heard[0] & heard[1]) >= len(issued) - 2 >= 1


WRITER = """
import asyncio, sys
from tests.support.clock import FakeClock
from tests.support.stores import KEY, file_store, full_entry
from tests.support.redis_server import redis_store
from proxy.config.model import RedisPlace
from pathlib import Path

async def main():
    clock, port = FakeClock(), int(sys.argv[2])
    place = RedisPlace("tcp", (("127.0.0.1", port),))
    store = redis_store(place, clock, key=KEY) if port else file_store(Path(sys.argv[1]), clock)
    while True:
        async with store.lock("one"):
            generation = (await store.load("one")).generation + 1
            await store.save("one", full_entry(clock, generation))
            sys.stdout.write(f"{generation}\\n")
            sys.stdout.flush()

asyncio.run(main())
"""


async def test_a_store_whose_writers_are_killed_opens_with_the_newest_whole_entry(
    tmp_path: Path, redis: RedisServer | None
) -> None:
    clock, told, random = FakeClock(), list[str](), Random(1)
    if redis is None:
        store: TokenStore = file_store(tmp_path, clock, told=told.append)
    else:
        store = redis_store(redis.place, clock, key=KEY, told=told.append)
    newest = 0
    for _ in range(ROUNDS):
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-P", "-c", WRITER, str(tmp_path), str(redis.port if redis else 0)),
            env=environment(tmp_path),
            stdout=asyncio.subprocess.PIPE,
        )
        assert process.stdout is not None
        first = await process.stdout.readline()
        await asyncio.sleep(random.uniform(0.0, 0.02))
        process.kill()
        lines = (first + (await process.communicate())[0]).split()
        acknowledged = max(newest, *map(int, lines))
        if redis is not None:  # a dead one's lease would end by itself, in 10 s
            redis.ask("DEL", redis.ask("KEYS", "*:lease"))
        async with store.lock("one"):
            entry = await store.load("one")
        assert entry == full_entry(clock, entry.generation)
        assert entry.generation in (acknowledged, acknowledged + 1)
        newest = entry.generation
    assert newest > ROUNDS
    assert told == []
    await store.close()
