"""The last good value of a place, what counts as a change, and when it is read again."""

from __future__ import annotations

import asyncio
import threading

import pytest

from proxy.errors import SecretError, SecretUnavailableError
from proxy.runtime.rereading import Rereading
from proxy.secret import Secret
from proxy.secrets.kept import Kept, News, doubt, fresh
from proxy.secrets.off_loop import OffLoop
from proxy.secrets.rotating import Rotating
from tests.support.clock import FakeClock


class Place:
    """A ``SecretSource`` that a test changes; a slow one when asked by ``anew``."""

    def __init__(self, value: str | SecretError = "first") -> None:
        self.value = value
        self.reads = 0
        self.breaks = False

    def read(self) -> Secret:
        self.reads += 1
        if self.breaks:
            raise ZeroDivisionError
        if isinstance(self.value, SecretError):
            raise self.value
        return Secret(self.value)

    async def anew(self) -> Secret:
        await asyncio.sleep(0)
        return self.read()

    def warnings(self) -> tuple[str, ...]:
        return ("odd",)


class Following:
    """A kept place and what was told of it."""

    def __init__(self, *, slow: bool, every: float | None = None) -> None:
        self.clock = FakeClock()
        self.place = Place()
        self.news: list[News] = []
        self.changes = 0
        anew = self.place.anew if slow else None
        self.kept = Kept(self.place, anew, self.clock, self.news.append)
        self.rereading = Rereading(self.kept, every, self.clock, self._changed)

    def _changed(self) -> None:
        self.changes += 1

    def value(self) -> str:
        return self.kept.read().reveal()


GONE = SecretError("it is gone")
LOCKED = SecretUnavailableError("it is locked")


@pytest.mark.parametrize("slow", [False, True])
async def test_the_last_good_value_stays_while_the_place_is_empty(slow: bool) -> None:
    here = Following(slow=slow)
    assert here.value() == "first"
    for _ in range(3):
        here.place.value = GONE
        await here.kept.reread()
        assert here.value() == "first"
    assert here.news == ["fault"]
    assert here.kept.fault == "it is gone"
    assert here.kept.failures >= 3
    here.place.value = "first"
    await here.kept.reread()
    assert here.news == ["fault", "mended"]
    assert here.kept.fault is None
    assert here.kept.changes == 0
    assert not here.kept.is_news()


async def test_a_quick_place_is_asked_by_every_reader_and_a_slow_one_by_none() -> None:
    quick, slow = Following(slow=False), Following(slow=True)
    for here in (quick, slow):
        here.value()
        here.place.value = "second"
    assert quick.value() == "second"
    assert slow.value() == "first"
    await slow.kept.reread()
    assert slow.value() == "second"
    assert slow.kept.changes == 1
    assert slow.kept.changed_at == slow.clock.wall()
    assert slow.kept.warnings() == ("odd",)


async def test_what_was_never_read_says_why() -> None:
    here = Following(slow=True)
    here.place.value = LOCKED
    await here.kept.reread()
    with pytest.raises(SecretUnavailableError, match="it is locked"):
        here.value()
    here.place.value = GONE
    await here.kept.reread()
    with pytest.raises(SecretError, match="it is gone") as caught:
        here.value()
    assert not isinstance(caught.value, SecretUnavailableError)


async def test_the_first_value_after_a_fault_is_news() -> None:
    here = Following(slow=True, every=60.0)
    here.place.value = LOCKED
    await here.kept.reread()
    here.rereading.start()
    here.place.value = "first"
    await here.clock.advance(60.0)
    assert here.changes == 1


async def test_a_slow_place_is_read_every_so_often() -> None:
    here = Following(slow=True, every=60.0)
    await here.kept.reread()
    here.rereading.start()
    await here.clock.advance(59.0)
    assert here.place.reads == 1
    here.place.value = "second"
    await here.clock.advance(1.0)
    assert here.changes == 1
    assert here.value() == "second"
    await here.clock.advance(600.0)
    assert here.place.reads == 12
    assert here.changes == 1
    here.rereading.close()
    await here.clock.advance(600.0)
    assert here.place.reads == 12


@pytest.mark.parametrize("slow", [False, True])
async def test_a_refusal_has_it_read_at_once_and_a_few_times_soon(slow: bool) -> None:
    here = Following(slow=slow, every=60.0 if slow else None)
    here.value()
    here.rereading.start()
    doubt(here.kept)
    await here.clock.advance(0.0)
    assert here.place.reads == 2
    await here.clock.advance(2.0)
    assert here.place.reads == 5
    here.place.value = "second"
    await here.clock.advance(3.0)
    assert here.changes == 1
    reads = here.place.reads
    await here.clock.advance(30.0)
    assert here.place.reads == reads
    for _ in range(100):  # refused over and over: not a reading for each
        doubt(here.kept)
    await here.clock.advance(0.0)
    assert here.place.reads == reads + 1


async def test_who_wants_it_as_it_is_now_waits_for_one_reading() -> None:
    here = Following(slow=True)
    here.value()
    here.place.value = "second"
    found = await asyncio.gather(*(fresh(here.kept) for _ in range(5)))
    assert {one.reveal() for one in found} == {"second"}
    assert here.place.reads == 2


async def test_a_refused_value_takes_turns_with_what_every_reader_saw() -> None:
    here = Following(slow=True)
    one, other = Rotating(here.kept, here.clock), Rotating(here.kept, here.clock)
    assert one.read().reveal() == other.read().reveal() == "first"
    for value in ("second", "third"):
        here.place.value = value
        await here.kept.reread()
    # The other one never read the second; the provider may still want it.
    tried = []
    for _ in range(4):
        tried.append(other.read().reveal())
        other.refused()
    assert tried == ["third", "second", "third", "first"]
    assert other.is_recent()
    await here.clock.advance(61.0)
    assert not other.is_recent()
    assert other.read().reveal() == "third"


async def test_a_value_that_works_stays_until_it_is_refused_or_replaced() -> None:
    here = Following(slow=False)
    rotating = Rotating(here.kept, here.clock)
    rotating.read()
    here.place.value = "second"
    assert rotating.read().reveal() == "second"
    rotating.refused()
    assert [rotating.read().reveal() for _ in range(3)] == ["first"] * 3
    here.place.value = "third"
    assert rotating.read().reveal() == "third"


async def test_a_place_that_hangs_is_given_up_and_not_asked_twice() -> None:
    release, reads = threading.Event(), []

    def read() -> Secret:
        reads.append(1)
        release.wait(10.0)
        return Secret("late")

    read_it = OffLoop(read, "the keyring", 0.05)
    for _ in range(2):
        with pytest.raises(SecretUnavailableError, match=r"the keyring did not answer within 0.05"):
            await read_it()
    assert len(reads) == 1
    release.set()


async def test_what_a_thread_raises_is_raised_where_it_is_awaited() -> None:
    def read() -> Secret:
        raise GONE

    with pytest.raises(SecretError, match="it is gone"):
        await OffLoop(read, "the keyring", 5.0)()
    assert (await OffLoop(lambda: Secret("value"), "the keyring", 5.0)()).reveal() == "value"


async def test_where_a_value_worked_its_successor_is_waited_for_but_not_for_long() -> None:
    here = Following(slow=True)
    rotating = Rotating(here.kept, here.clock)
    rotating.read()
    assert not rotating.is_recent()  # it never worked: a refusal means what it says
    rotating.accepted()
    assert rotating.is_recent()
    rotating.refused()
    await here.clock.advance(9.0)
    rotating.refused()
    assert rotating.is_recent()
    await here.clock.advance(2.0)
    assert not rotating.is_recent()
    here.place.value = "second"
    await here.kept.reread()
    assert rotating.read().reveal() == "second"
    assert rotating.is_recent()
    rotating.accepted()
    await here.clock.advance(600.0)
    assert rotating.is_recent()


async def test_what_can_not_change_while_we_run_has_no_successor() -> None:
    rotating = Rotating(Place(), FakeClock())
    rotating.read()
    rotating.accepted()
    assert not rotating.is_recent()


async def test_a_bug_in_a_place_is_a_fault_like_others_and_does_not_end_the_readings() -> None:
    here = Following(slow=True, every=60.0)
    await here.kept.reread()
    here.rereading.start()
    here.place.breaks = True
    await here.clock.advance(60.0)
    assert here.kept.fault == "internal error while reading it (ZeroDivisionError)"
    here.place.breaks = False
    here.place.value = "second"
    await here.clock.advance(60.0)
    assert here.kept.fault is None
    assert here.changes == 1
