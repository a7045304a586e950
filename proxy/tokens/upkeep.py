"""Keeps the held token fresh: one try in flight, owned here, and one timer that begins the next.

Decides when a try begins and what its end changes; who is served meanwhile is ``credential``'s.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from random import Random

from proxy.clock import Clock, Timer
from proxy.errors import Failure, TokenRequestError
from proxy.tokens.held import Held
from proxy.tokens.journal import Journal
from proxy.tokens.listening import Listening
from proxy.tokens.policy import RenewalPolicy, Use
from proxy.tokens.ports import Entry
from proxy.tokens.renewal import STORE, Renewal, Renewed, same_answer
from proxy.tokens.retries import Retries
from proxy.tokens.waiters import Waiters

_LOOK_AGAIN = 15.0
"""Seconds after which the timer looks again at the latest: sleep and jumps of the wall clock move
the moments, and no timer tells."""
_GRACE = 10.0
"""Seconds that an answer which may bring a new refresh token gets to come and be persisted when
everything ends."""
_LATECOMERS = 2.0
"""Seconds in which requests that were routed here already may still come and ask."""
_PAUSE = 0.05
"""Seconds between two looks whether anybody still waits."""
_TICK = 0.001
"""The timer's least delay in seconds, so that rounding never makes it spin."""


def _unwatched() -> None:
    """Nobody wants to know."""


class Upkeep:
    """Renews what ``held`` holds.

    Attributes:
        held: the token at hand.
        renewal, retries: what a try does, and when the next may be.
        waiting: those who want to know when something changed.
        tries: how many tries have ended.
        used: when the token was last asked for, monotonic seconds.
        closed: no try begins any more.
        changed: called when the token at hand, or whether a try is in flight, has changed.
    """

    def __init__(
        self,
        renewal: Renewal,
        policy: RenewalPolicy,
        journal: Journal,
        clock: Clock,
        random: Random,
    ) -> None:
        self.held = Held(clock)
        self.renewal = renewal
        self.retries = Retries(random)
        self.waiting = Waiters(clock)
        self.tries = 0
        self.used = -math.inf
        self.closed = False
        self.changed: Callable[[], None] = _unwatched
        self._policy = policy
        self._journal = journal
        self._clock = clock
        self._random = random
        self._task: asyncio.Task[None] | None = None
        self._timer: Timer | None = None
        self._started = False
        self._follows: bool | None = None
        self._listening = Listening(renewal, self._found, journal.name)

    @property
    def trying(self) -> bool:
        """Whether a try is in flight."""
        return self._task is not None

    def start(self) -> None:
        """Renew without traffic from now on, and work with what others put into the store."""
        self._started = True
        self._listening.start(self._tick)

    async def retire(self, patience: float) -> None:
        """Renew for those alone who wait, at most ``patience`` seconds, then close.

        A request that waits here was routed before the credential was replaced, and ends as it
        began.
        """
        self._started = False
        self._arm()
        begun = self._clock.monotonic()
        while not self.closed:
            elapsed = self._clock.monotonic() - begun
            if elapsed >= patience or (elapsed >= _LATECOMERS and not self.waiting):
                break
            await _passed(self._clock, _PAUSE)
        await self.close()

    async def close(self) -> None:
        """Stop the timer, wake who waits, end the try in flight: at once if nothing is lost by it.

        One that spends a refresh token gets up to 10 s: the provider may have replaced it.
        """
        self.closed = True
        self._arm()
        self.waiting.wake()
        await self._listening.close()
        await self._last_answer()
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _last_answer(self) -> None:
        end = self._clock.monotonic() + _GRACE
        while self._task is not None and self.renewal.at_stake:
            left = end - self._clock.monotonic()
            if left <= 0:
                return
            await self.waiting.wait(left)

    def begin_if_due(self, now: float) -> None:
        """Begin a try unless one is in flight or the next is not yet due."""
        if self._task is None and now >= self.retries.due:
            self.begin(forced=False)

    def begin(self, *, forced: bool) -> None:
        """Begin a try unless one is in flight; ``forced``: ask the provider in any case."""
        if self._task is None and not self.closed:
            self._task = asyncio.get_running_loop().create_task(
                # As it is known now: an entry that is found before the try runs needs none.
                self._try(self.held.entry, forced=forced),
                name=f"token renewal {self._journal.name}",
            )
            self.changed()

    def try_anew(self, *, forced: bool) -> None:
        """Something that a try depends on is another: one that failed, or fails now, follows it.

        ``forced``: one follows in any case.
        """
        if self._task is not None:
            self._follows = forced or self._follows or False
        elif forced or self.retries.setback is not None:
            self.begin(forced=forced)

    def refuse(self) -> None:
        """A 401 rejected the token at hand: nobody sends it any more."""
        entry = self.held.entry
        self.renewal.reject(entry)
        self.held.drop()
        self._journal.rejected(entry)
        self.waiting.wake()
        self.changed()

    async def forget(self) -> bool:
        """Forget what is held, here and in the store; whether there was anything.

        Raises:
            StoreError: the store can't be used.
        """
        kept = await self.renewal.forget()
        entry = await self.renewal.look()
        if entry is not None:
            self._found(entry)
        return kept

    async def pause(self, seconds: float) -> None:
        """Wait until something changes, at most ``seconds``."""
        change = self.waiting.wait(seconds)
        self._arm()
        await change

    async def one_try(self, deadline: float) -> bool:
        """Wait for the end of the try in flight or next due; whether it came in time."""
        tries = self.tries
        while self.tries == tries and not self.closed:
            left = deadline - self._clock.monotonic()
            if left <= 0:
                return False
            await self.pause(left)
        return self.tries != tries

    def next_in(self) -> float:
        """Seconds until a try begins; infinity where none comes by itself."""
        now = self._clock.now()
        if self._task is not None:
            return 0.0
        if not self._wanted(now.monotonic):
            return math.inf
        return max(0.0, self.retries.due - now.monotonic, now.until(self.held.moments.soft))

    def _found(self, entry: Entry) -> None:
        """The store has this: another process's renewal, a login, a logout, or nothing new."""
        before = self.held.entry
        if self.closed or entry.generation < before.generation or same_answer(entry, before):
            return
        if self.renewal.serves(entry):
            self._hold(Renewed(entry, asked=False))
        elif entry.token is None and before.token is not None:
            self._forgotten(entry)
        elif entry.generation > before.generation and self.retries.setback is not None:
            # Nothing to send, but what the provider refused before is no longer what we have.
            self.retries.succeeded(self._clock.monotonic())
        else:
            return
        self.changed()
        self.waiting.wake()
        self._arm()

    def _forgotten(self, entry: Entry) -> None:
        self.held.drop()
        self.held.entry = entry
        self._journal.forgotten(entry.generation)

    async def _try(self, known: Entry, *, forced: bool) -> None:
        try:
            self._hold(await self.renewal.run(known, forced=forced))
        except TokenRequestError as error:
            self._failed(error)
        except (Exception, asyncio.CancelledError) as fault:
            if self.closed:
                raise
            # A bug in a source, or a stray cancellation, must not end renewal for ever.
            self._failed(_internal(fault))
        finally:
            self._task = None
            self.tries += 1
            follows, self._follows = self._follows, None
            if follows is not None:
                self.try_anew(forced=follows)
            self.changed()
            self.waiting.wake()
            self._arm()

    def _hold(self, renewed: Renewed) -> None:
        entry = renewed.entry
        if entry.token is None:
            raise ValueError("a renewal without a token")
        known = not renewed.asked and same_answer(entry, self.held.entry)
        self.held.put(entry, self._policy.margin, self._random.uniform(-1, 1))
        self.retries.succeeded(self._clock.monotonic())
        if not known:
            tell = self._journal.renewed if renewed.asked else self._journal.adopted
            tell(entry.token, entry.generation)

    def _failed(self, error: TokenRequestError) -> None:
        now = self._clock.monotonic()
        # A store that stays away may be done without then: no backoff goes beyond that moment.
        latest = now + self.renewal.patience(self.held.entry)
        self.retries.failed(error, now, latest if error.reason == STORE else math.inf)
        self._journal.failed(error, self.retries.due - now)

    def _wanted(self, now: float) -> bool:
        """Whether a try may begin without a request's asking for it now."""
        if self.waiting:
            return True
        idle = self._policy.idle
        return self._started and (idle is None or now - self.used <= idle)

    def _tick(self) -> None:
        now = self._clock.monotonic()
        if self._wanted(now) and self.held.use() is not Use.SERVE:
            self.begin_if_due(now)
        self._arm()

    def _arm(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        if not self.closed and (self._started or self.waiting):
            delay = _LOOK_AGAIN if self.trying else min(_LOOK_AGAIN, self.next_in())
            self._timer = self._clock.call_later(max(_TICK, delay), self._tick)


async def _passed(clock: Clock, seconds: float) -> None:
    over = asyncio.get_running_loop().create_future()
    timer = clock.call_later(seconds, lambda: None if over.done() else over.set_result(None))
    try:
        await over
    finally:
        timer.cancel()


def _internal(fault: BaseException) -> TokenRequestError:
    """A bug, told by its class alone: its message might hold anything."""
    return TokenRequestError(
        f"internal error while renewing ({type(fault).__name__})",
        failure=Failure.TRANSIENT,
        reason="internal",
    )
