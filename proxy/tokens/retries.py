"""How long to wait after a failed token request, by what kind of failure it was.

``wait_after`` is a pure function; ``Retries`` remembers the last failure and when the next try may
be, on the monotonic clock alone: no correction of the wall clock makes a try come early.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass
from typing import Final

from proxy.errors import Failure, TokenRequestError

LEAST: Final = 0.5
"""Seconds between two tries, whatever happens."""
BROUGHT_FORWARD: Final = 3.0
"""A request that waits has a backed-off try within so many seconds."""

_LOGIN_NEEDED: Final = "login_needed"
_TRANSIENT_MOST: Final = 60.0
_SLOW_LEAST: Final = 30.0
_MOST: Final = 300.0


def wait_after(error: TokenRequestError, failures: int, draw: float) -> float:
    """Seconds from a failure to the next try; infinity where none comes by itself.

    Args:
        error: what happened.
        failures: how often in a row, this one included.
        draw: from 0 to 1, where in the allowed span the wait falls (full jitter).
    """
    if not error.unattended:
        return math.inf
    match error.failure:
        case Failure.TERMINAL:
            return _MOST
        case Failure.SLOW:
            return _spread(_SLOW_LEAST, _MOST, failures, draw)
        case Failure.RETRY_AFTER if error.retry_after is not None:
            return min(max(error.retry_after, LEAST), _MOST)
        case _:
            return _spread(LEAST, _TRANSIENT_MOST, failures, draw)


def _spread(least: float, most: float, failures: int, draw: float) -> float:
    doublings = min(failures, 20)  # far beyond `most`, and no overflow after days of failures
    return least + (min(most, least * 2.0**doublings) - least) * draw


@dataclass(frozen=True, slots=True)
class Setback:
    """What is kept of a failure: an exception would keep its frames, and secrets in them."""

    failure: Failure
    reason: str
    message: str
    error: str | None

    @property
    def refusal(self) -> bool:
        """Whether the provider refuses the credential; a login that is needed is none."""
        return self.failure is Failure.TERMINAL and self.reason != _LOGIN_NEEDED


class Retries:
    """When the next try may be. Times are monotonic seconds.

    Attributes:
        setback: the last failure, None after a success.
        due: from when a try may begin; infinity where none comes by itself.
    """

    __slots__ = ("_brought_forward", "_ended", "_failures", "_random", "due", "setback")

    def __init__(self, random: random.Random) -> None:
        self._random = random
        self._failures = 0
        self._ended = -math.inf
        self._brought_forward = False
        self.due = -math.inf
        self.setback: Setback | None = None

    @property
    def fixed(self) -> bool:
        """Whether the failure fixed the next try: no waiting request moves it."""
        if self.setback is None:
            return False
        return self.setback.failure is not Failure.TRANSIENT or math.isinf(self.due)

    def told_to_wait(self, now: float) -> bool:
        """Whether the provider named a moment that has not come."""
        named = self.setback is not None and self.setback.failure is Failure.RETRY_AFTER
        return named and now < self.due

    def succeeded(self, now: float) -> None:
        """A try brought a token; the next is not at once, even if that token lives but a blink."""
        self._failures = 0
        self._ended = now
        self.setback = None
        self.due = now + LEAST

    def failed(self, error: TokenRequestError, now: float, latest: float = math.inf) -> None:
        """A try failed; the next one may begin at ``latest``, unless that has passed already."""
        same = self.setback is not None and self.setback.failure is error.failure
        self._failures = self._failures + 1 if same else 1
        self._ended = now
        self._brought_forward = False
        self.setback = Setback(error.failure, error.reason, str(error), error.error)
        self.due = now + wait_after(error, self._failures, self._random.random())
        if latest > now:
            self.due = min(self.due, max(latest, now + LEAST))

    def bring_forward(self, now: float) -> None:
        """A request waits: the first one after a failure has the next try sooner."""
        if self.setback is None or self.fixed or self._brought_forward:
            return
        self._brought_forward = True
        self.due = min(self.due, now + self._random.uniform(LEAST, BROUGHT_FORWARD))

    def hasten(self, now: float) -> bool:
        """A 401 wants a try at once; False where the next one is fixed and not yet due."""
        if self.fixed:
            return self.due <= now
        soonest = now if self.setback is None else max(now, self._ended + LEAST)
        self.due = min(self.due, soonest)
        return True
