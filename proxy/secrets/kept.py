"""The last good value of one place, for a process that goes on where the place does not answer.

Decides what counts as a change and what as a fault, and tells each of them once. When it is read
again is decided elsewhere.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Literal

from proxy.clock import Clock
from proxy.errors import SecretError, SecretUnavailableError
from proxy.secret import Secret
from proxy.secrets.history import History
from proxy.secrets.source import SecretSource

News = Literal["changed", "fault", "mended"]


def _unheard(_: News) -> None:
    """Nobody wants to know."""


def _unhurried() -> None:
    """Nobody reads it again sooner."""


class Kept:
    """A ``SecretSource`` that keeps what it read.

    Args:
        source: the place.
        anew: reads it without holding up the loop; None where ``source`` itself takes no time and
            is asked whenever somebody reads.
        clock: stamps changes.
        tell: hears of a change, of a fault, of its end.

    Attributes:
        history: what it was before.
        changes, failures: how often it changed; how often it could not be read.
        fault: why it can't be read now; None: it can.
        changed_at: when it last changed, in seconds since the epoch.
        hurry: called where a reading should come sooner than planned.
    """

    def __init__(
        self,
        source: SecretSource,
        anew: Callable[[], Awaitable[Secret]] | None,
        clock: Clock,
        tell: Callable[[News], None] = _unheard,
    ) -> None:
        self.history = History(clock)
        self.changes = 0
        self.failures = 0
        self.fault: str | None = None
        self.changed_at: float | None = None
        self.hurry: Callable[[], None] = _unhurried
        self._source = source
        self._anew = anew
        self._clock = clock
        self._tell = tell
        self._value: Secret | None = None
        self._announced: Secret | None = None
        self._passing = False
        self._reading: asyncio.Task[None] | None = None

    @property
    def is_slow(self) -> bool:
        """Whether reading it may take seconds."""
        return self._anew is not None

    @property
    def is_known(self) -> bool:
        """Whether there is a value."""
        return self._value is not None

    def read(self) -> Secret:
        """The value: as it is now, or as it was when it could last be read.

        Raises:
            SecretError: it could never be read.
        """
        if self._anew is None or (self._value is None and self.fault is None):
            self._look()
        if self._value is None:
            if self.is_slow:
                self.hurry()
            raise self._error()
        return self._value

    def warnings(self) -> tuple[str, ...]:
        """As the place's own; see ``SecretSource``."""
        return self._source.warnings()

    async def reread(self) -> None:
        """Read it anew; who comes meanwhile waits for the same reading. Its fault is kept."""
        if self._anew is None:
            self._look()
            return
        if self._reading is None:
            self._reading = asyncio.get_running_loop().create_task(self._read_anew(self._anew))
        await asyncio.shield(self._reading)

    def close(self) -> None:
        """End a reading that is under way."""
        if self._reading is not None:
            self._reading.cancel()

    def is_news(self) -> bool:
        """Whether the value is another than at the last call, or the first after a fault."""
        before, self._announced = self._announced, self._value
        return before != self._value

    def refused(self) -> None:
        """A provider refused the value: there may be another one."""
        self.hurry()

    async def _read_anew(self, anew: Callable[[], Awaitable[Secret]]) -> None:
        try:
            self._took(await anew())
        except SecretError as error:
            self._failed(error)
        except Exception as fault:  # noqa: BLE001 - a bug must not end the readings for ever
            told = f"internal error while reading it ({type(fault).__name__})"
            self._failed(SecretUnavailableError(told))
        finally:
            self._reading = None

    def _look(self) -> None:
        try:
            self._took(self._source.read())
        except SecretError as error:
            self._failed(error)

    def _took(self, value: Secret) -> None:
        before, self._value = self._value, value
        mended, self.fault = self.fault is not None, None
        self.history.saw(value)
        if before is None:
            self._announced = None if mended else value
        elif before != value:
            self.changes += 1
            self.changed_at = self._clock.wall()
            self._tell("changed")
        if mended:
            self._tell("mended")

    def _failed(self, error: SecretError) -> None:
        self.failures += 1
        self._passing = isinstance(error, SecretUnavailableError)
        told = self.fault is not None
        self.fault = str(error)
        if not told:
            self._tell("fault")

    def _error(self) -> SecretError:
        kind = SecretUnavailableError if self._passing else SecretError
        return kind(self.fault or "the secret is not known yet")


def doubt(source: SecretSource) -> None:
    """A provider refused what was read there: where it is kept, it is read again soon."""
    if isinstance(source, Kept):
        source.refused()


async def fresh(source: SecretSource) -> Secret:
    """The value as it is now, also where it is kept.

    Raises:
        SecretError: it could never be read.
    """
    if isinstance(source, Kept):
        await source.reread()
    return source.read()
