"""Who is served at once, who asks, and what serves where asking failed."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable

import pytest

from proxy.client.kept import LONGEST, PAUSE, Kept
from proxy.client.lent import Lent
from proxy.client.running import NobodyThereError
from proxy.secret import Secret
from tests.support.clock import FakeClock


class Scripted:
    """A supply that numbers what it lends."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.lifetime: float | None = 60.0
        self.fault: Exception | None = None
        self.before: Callable[[], None] = lambda: None
        self.number = 1

    def token(self, name: str, *, min_ttl: float = 0.0) -> Lent:
        return self._answer(f"{name} {min_ttl:g}")

    def reject(self, _name: str, generation: int) -> Lent:
        self.number += 1
        return self._answer(f"reject {generation}")

    def refresh(self, _name: str) -> Lent:
        self.number += 1
        return self._answer("refresh")

    def _answer(self, asked: str) -> Lent:
        self.asked.append(asked)
        self.before()
        if self.fault is not None:
            raise self.fault
        token = Secret(f"token-{self.number}")
        return Lent(token, "access_token", self.number, False, self.lifetime)


@pytest.fixture
def supply() -> Scripted:
    return Scripted()


@pytest.fixture
def clock() -> FakeClock:
    return FakeClock()


@pytest.fixture
def kept(supply: Scripted, clock: FakeClock) -> Kept:
    return Kept("api", lambda: supply, clock)


async def test_nobody_is_asked_again_before_the_soft_moment(
    kept: Kept, supply: Scripted, clock: FakeClock
) -> None:
    first = kept.lend()
    await clock.advance(39.9)
    assert kept.lend() is first
    await clock.advance(0.2)
    kept.lend()
    assert supply.asked == ["api 0", "api 0"]


@pytest.mark.parametrize("lifetime", [None, 86_400.0])
async def test_even_an_endless_token_is_asked_for_again_some_time(
    kept: Kept, supply: Scripted, clock: FakeClock, lifetime: float | None
) -> None:
    supply.lifetime = lifetime
    kept.lend()
    await clock.advance(LONGEST - 1)
    kept.lend()
    assert len(supply.asked) == 1
    await clock.advance(2)
    kept.lend()
    assert len(supply.asked) == 2


async def test_where_nobody_answers_the_old_token_serves_until_its_end(
    kept: Kept, supply: Scripted, clock: FakeClock
) -> None:
    first = kept.lend()
    supply.fault = NobodyThereError("gone")
    await clock.advance(45)
    assert kept.lend() is first
    assert kept.lend() is first
    assert len(supply.asked) == 2, "between two questions there is a pause"
    await clock.advance(PAUSE)
    assert kept.lend() is first
    assert len(supply.asked) == 3
    await clock.advance(14.5)
    with pytest.raises(NobodyThereError):
        kept.lend()


async def test_who_needs_a_longer_one_asks_for_it(kept: Kept, supply: Scripted) -> None:
    kept.lend()
    kept.lend(30)
    kept.lend(61)
    assert supply.asked == ["api 0", "api 61"]


async def test_a_rejected_token_is_not_lent_again(kept: Kept, supply: Scripted) -> None:
    first = kept.lend()
    second = kept.reject(first)
    assert second.token != first.token
    assert kept.lend() is second
    assert supply.asked == ["api 0", "reject 1"]


async def test_of_many_who_were_refused_the_same_token_one_asks(
    kept: Kept, supply: Scripted
) -> None:
    first = kept.lend()
    assert {kept.reject(first).generation for _ in range(5)} == {2}
    assert supply.asked == ["api 0", "reject 1"]


async def test_a_token_whose_rejection_failed_is_asked_for_before_it_is_lent(
    kept: Kept, supply: Scripted
) -> None:
    first = kept.lend()
    supply.fault = NobodyThereError("gone")
    with pytest.raises(NobodyThereError):
        kept.reject(first)
    with pytest.raises(NobodyThereError):
        kept.lend()
    supply.fault = None
    assert kept.lend().token != first.token


async def test_a_refresh_replaces_what_is_at_hand(kept: Kept, supply: Scripted) -> None:
    kept.lend()
    second = kept.refresh()
    assert kept.lend() is second
    assert supply.asked == ["api 0", "refresh"]


async def test_one_thread_asks_and_the_others_have_what_is_at_hand(
    kept: Kept, supply: Scripted, clock: FakeClock
) -> None:
    first = kept.lend()
    await clock.advance(45)
    inside, on = threading.Event(), threading.Event()

    def wait() -> None:
        inside.set()
        on.wait(10)

    supply.before = wait
    thread = threading.Thread(target=kept.lend)
    thread.start()
    assert inside.wait(10)
    assert kept.lend() is first
    on.set()
    thread.join(10)
    assert len(supply.asked) == 2


async def test_threads_without_a_token_wait_for_the_one_that_asks(
    kept: Kept, supply: Scripted
) -> None:
    gate = threading.Barrier(8, timeout=10)
    lent: list[Lent] = []

    def work() -> None:
        gate.wait()
        lent.append(kept.lend())

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(10)
    assert len(lent) == 8
    assert supply.asked == ["api 0"]


async def test_a_forked_process_asks_anew(clock: FakeClock) -> None:
    made: list[Scripted] = []

    def make() -> Scripted:
        made.append(Scripted())
        return made[-1]

    kept = Kept("api", make, clock)
    kept.lend()
    kept._turn.acquire()  # as a thread of the parent would hold it at that moment
    kept._process = os.getpid() - 1
    assert kept.fresh() is None
    kept.lend()
    assert [supply.asked for supply in made] == [["api 0"], ["api 0"]]
