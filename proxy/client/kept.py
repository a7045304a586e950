"""The token at hand in this process, so that not every request asks for it.

Decides by the token's moments who is served at once, who asks, and what serves where asking
failed. Threads share it: one asks, the others wait only where they have nothing to send.
"""

from __future__ import annotations

import math
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from proxy.client.lent import Lent
from proxy.client.supply import Nearest, Supply
from proxy.clock import Clock, Moment
from proxy.errors import SidecarError
from proxy.tokens.policy import ENDLESS, RenewalPolicy, Schedule, Use, schedule, use
from proxy.tokens.token import Token

LONGEST: Final = 300.0
"""Seconds after which the token is asked for again, however long it lives: a logout, another
login or a secret that was exchanged is then known here too."""
PAUSE: Final = 1.0
"""Seconds between two questions while the old token serves because nobody answers."""


@dataclass(frozen=True, slots=True)
class _Held:
    lent: Lent
    moments: Schedule
    ends: Moment

    def serves(self, now: Moment) -> bool:
        return use(now, self.moments) is not Use.GONE

    def left(self, now: Moment) -> float:
        return now.until(self.ends)


class Kept:
    """One credential's token.

    Args:
        name: the credential's.
        supply: makes what is asked; called once in each process that this one forks into.
        clock: judges the token's moments.
    """

    def __init__(self, name: str, supply: Callable[[], Supply], clock: Clock) -> None:
        self._name = name
        self._make = supply
        self._clock = clock
        self._begin()

    def _begin(self) -> None:
        self._process = os.getpid()
        self._turn = threading.Lock()
        self._held: _Held | None = None
        self._ask_from = -math.inf
        self._supply: Supply | None = None

    @property
    def supply(self) -> Supply:
        """What is asked."""
        if self._supply is None:
            self._supply = self._make()
        return self._supply

    def fresh(self, least: float = 0.0) -> Lent | None:
        """The token at hand if nobody needs to be asked for it; never waits.

        Args:
            least: seconds that it should live.
        """
        held, now = self._held, self._clock.now()
        if held is None or self._process != os.getpid() or held.left(now) < least:
            return None
        return held.lent if now.monotonic < self._ask_from and held.serves(now) else None

    def lend(self, least: float = 0.0) -> Lent:
        """A token to send now.

        Args:
            least: seconds that it should live, where tokens of this provider do.

        Raises:
            SidecarError: there is none; see ``RunningSidecar``.
        """
        lent = self.fresh(least)
        if lent is not None:
            return lent
        self._after_fork()
        held = self._held
        if held is not None and not least and held.serves(self._clock.now()):
            if not self._turn.acquire(blocking=False):
                return held.lent
        else:
            self._turn.acquire()
        try:
            return self.fresh(least) or self._ask(least)
        finally:
            self._turn.release()

    def reject(self, refused: Lent) -> Lent:
        """An upstream answered 401 to ``refused``: the token to try instead.

        The same one where there is no other to be had.

        Raises:
            SidecarError: there is none; see ``RunningSidecar``.
        """
        self._after_fork()
        with self._turn:
            held = self._held
            if held is not None and held.lent.token != refused.token:
                return held.lent
            self._held = None
            return self._hold(lambda: self.supply.reject(self._name, refused.generation))

    def refresh(self) -> Lent:
        """A new token, whether the present one is still good or not.

        Raises:
            SidecarError: none came; see ``RunningSidecar``.
        """
        self._after_fork()
        with self._turn:
            return self._hold(lambda: self.supply.refresh(self._name))

    def close(self) -> None:
        """Let go of what was opened; it is opened again when it is used again."""
        self._after_fork()
        with self._turn:
            supply = self._supply
            self._supply = self._held = None
        if isinstance(supply, Nearest):
            supply.close()

    def _ask(self, least: float) -> Lent:
        held = self._held
        try:
            return self._hold(lambda: self.supply.token(self._name, min_ttl=least))
        except SidecarError:
            now = self._clock.now()
            if held is None or not held.serves(now):
                raise
            self._ask_from = now.monotonic + PAUSE
            return held.lent

    def _hold(self, question: Callable[[], Lent]) -> Lent:
        now = self._clock.now()  # before, for what is left is told as it was then
        lent = question()
        moments, ends = _moments(lent, now)
        soft = now.until(moments.soft)
        self._ask_from = now.monotonic + min(LONGEST, max(soft, 0.0))
        self._held = _Held(lent, moments, ends)
        return lent

    def _after_fork(self) -> None:
        """Threads, locks and sockets are the parent's: begin anew without touching them."""
        if self._process != os.getpid():
            self._begin()


def _moments(lent: Lent, now: Moment) -> tuple[Schedule, Moment]:
    if lent.expires_in is None:
        return ENDLESS, Moment(math.inf, math.inf)
    ends = now.later(lent.expires_in)
    token = Token(lent.token, lent.field, received=now, expires=ends)
    return schedule(token, RenewalPolicy().margin, 0), ends
