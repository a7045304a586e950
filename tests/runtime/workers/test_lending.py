"""Both sides of a loan, with everything that is said going through frames, on a clock we move."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from proxy.errors import CredentialRefused, CredentialUnavailable, Failure, TokenRequestError
from proxy.runtime.workers import words
from proxy.runtime.workers.asking import GRACE, Asking, RemoteOwner
from proxy.runtime.workers.frames import Frames, Said
from proxy.runtime.workers.lending import Lending
from proxy.secret import Secret
from proxy.tokens.borrowed import BorrowedCredential
from proxy.tokens.policy import RenewalPolicy
from proxy.tokens.session import Session
from tests.support.clock import settle
from tests.support.world import World


class Worker:
    """What a worker holds, joined to the supervisor without a socket."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._frames = Frames()
        self._lending: Lending
        self.asking = Asking(self._ask)
        self.lent: dict[int, BorrowedCredential] = {}
        self.names: dict[str, int] = {}
        self.asked: list[str] = []

    def join(self, lending: Lending) -> None:
        self._lending = lending
        for terms in lending.terms():
            self.told(terms)
        self.told(lending.adoption())

    def told(self, sent: bytes) -> None:
        for said, _ in self._frames.feed(sent):
            if said["kind"] == "lend":
                owner = RemoteOwner(said["credential"], self.asking)
                new = BorrowedCredential(owner, self._world.clock)
                self.lent.setdefault(said["credential"], new).agree(words.terms(said["terms"]))
            elif said["kind"] == "adopt":
                self.names = dict(said["credentials"])
            else:
                self.asking.answered(said)

    def _ask(self, sent: bytes) -> None:
        ((said, _),) = Frames().feed(sent)
        self.asked.append(said.get("call", said["kind"]))
        if said["kind"] == "wanted":
            self._lending.wanted(said)
        else:
            self._world.task(self._answer(said))

    async def _answer(self, said: Said) -> None:
        self.told(await self._lending.answer(said))

    def __getitem__(self, name: str) -> BorrowedCredential:
        return self.lent[self.names[name]]


def crew(world: World, count: int = 2) -> tuple[Lending, list[Worker]]:
    workers = [Worker(world) for _ in range(count)]

    def tell(sent: bytes) -> None:
        for worker in workers:
            worker.told(sent)

    return Lending(tell), workers


async def test_a_token_that_comes_is_pushed_to_every_worker() -> None:
    async with World() as world:
        lending, workers = crew(world)
        credential = world.credential()
        lending.adopt({"api": credential})
        for worker in workers:
            worker.join(lending)
            assert worker["api"].current() is None
        await world.now(credential.acquire(5.0))
        for worker in workers:
            assert worker["api"].current() == credential.current()
            assert worker.asked == ["wanted"]


async def test_many_that_wait_in_all_workers_cost_one_token_request() -> None:
    async with World() as world:
        world.provider.latency = 2.0
        lending, workers = crew(world)
        lending.adopt({"api": world.credential()})
        for worker in workers:
            worker.join(lending)
        waiting = [world.task(worker["api"].acquire(5.0)) for worker in workers * 20]
        await settle()
        await world.clock.advance(2.0)
        assert {(await one).generation for one in waiting} == {1}
        assert len(world.provider.asked) == 1


async def test_who_waits_for_one_that_is_replaced_is_answered() -> None:
    async with World() as world:
        world.provider.latency = 2.0
        lending, (worker, _) = crew(world)
        before = world.credential()
        lending.adopt({"api": before})
        worker.join(lending)
        lent = worker["api"]
        early = world.task(lent.acquire(5.0))
        await settle()
        lending.adopt({"api": world.credential(identity="another")})
        late = world.task(lent.acquire(5.0))  # routed before the worker heard of it
        await world.clock.advance(2.0)
        assert (await early).value == (await late).value == b"token-1"


async def test_401s_in_all_workers_cost_one_token_request_and_then_pass() -> None:
    async with World() as world:
        lending, workers = crew(world)
        credential = await world.filled()
        lending.adopt({"api": credential})
        for worker in workers:
            worker.join(lending)
        replays = [world.task(worker["api"].reject(1, 5.0)) for worker in workers * 10]
        await world.clock.advance(0.1)
        leases = [await replay for replay in replays]
        assert {lease.generation for lease in leases if lease is not None} == {2}
        assert None not in leases
        passing = [world.task(worker["api"].reject(2, 5.0)) for worker in workers * 10]
        await world.clock.advance(0.1)
        assert {await one for one in passing} == {None}
        assert len(world.provider.asked) == 2


@pytest.mark.parametrize(
    ("failure", "raised"),
    [(Failure.TERMINAL, CredentialRefused), (Failure.SLOW, CredentialUnavailable)],
)
async def test_why_there_is_no_token_reaches_who_waits_for_it(
    failure: Failure, raised: type[CredentialUnavailable]
) -> None:
    async with World() as world:
        world.provider.otherwise = TokenRequestError("no", failure=failure, reason="invalid_client")
        lending, (worker, _) = crew(world)
        lending.adopt({"api": world.credential()})
        worker.join(lending)
        waiting = world.task(worker["api"].acquire(5.0))
        await world.clock.advance(5.0)
        with pytest.raises(raised) as told:
            await waiting
        assert type(told.value) is raised
        assert told.value.credential == "api"
        assert told.value.retry_after is not None


async def test_a_credential_that_replaces_another_is_not_mistaken_for_it() -> None:
    async with World() as world:
        lending, (worker, _) = crew(world)
        kept, old = await world.filled(), await world.filled()
        lending.adopt({"kept": kept, "api": old})
        worker.join(lending)
        before, same = worker["api"], worker["kept"]
        new = world.credential(identity="new")
        lending.adopt({"kept": kept, "api": new})
        worker.told(lending.adoption())
        assert worker["kept"] is same
        assert worker["api"] is not before
        assert worker["api"].current() is None
        # who still holds the old one gets no token of the new one for a replay
        assert await before.reject(7, 1.0) is None
        with pytest.raises(CredentialUnavailable):
            await RemoteOwner(99, worker.asking).acquire(1.0)


async def test_use_in_a_worker_counts_as_use() -> None:
    async with World(lifetime=60.0) as world:
        lending, (worker, _) = crew(world)
        credential = world.credential(RenewalPolicy(idle=30.0))
        lending.adopt({"api": credential})
        worker.join(lending)
        credential.start()
        await world.now(credential.acquire(5.0))
        for _ in range(12):
            await world.clock.advance(10.0)
            assert worker["api"].current() is not None
            lending.used([(worker.names["api"], worker["api"].used)])
        assert len(world.provider.asked) > 1


async def test_a_supervisor_that_does_not_answer_is_told_as_unavailable() -> None:
    asking = Asking(lambda _: None)
    with pytest.raises(CredentialUnavailable, match="does not answer"):
        await RemoteOwner(1, asking).acquire(-GRACE)
    assert await RemoteOwner(1, asking).reject(1, -GRACE) is None


async def test_an_answer_for_which_nobody_waits_any_more_is_dropped() -> None:
    asking = Asking(lambda _: None)
    waiting = asyncio.create_task(RemoteOwner(1, asking).acquire(10.0))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    asking.answered({"kind": "answer", "number": 0, "lease": [1, "token", "access_token", None]})


async def test_a_session_is_lent_with_all_that_tells_its_end() -> None:
    session = Session(frozenset({"sid"}), frozenset({"https://sign.example/in"}))
    async with World() as world:
        token = replace(world.provider.token("sid=1"), session=session)
        world.provider.script = [token, replace(token, value=Secret("sid=2"))]
        lending, (worker, other) = crew(world)
        lending.adopt({"api": world.credential()})
        for one in (worker, other):
            one.join(lending)
        waited = await world.now(worker["api"].acquire(5.0))
        renewed = await world.now(other["api"].reject(1, 5.0))
        assert renewed is not None
        for lease in (waited, renewed, worker["api"].current()):
            assert lease is not None
            assert lease.session == session
