"""The access log: what was answered, cheaply. Records are kept as they are, written in bulk.

A line never holds a query, a header or a path beyond the route's label.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from proxy.clock import Clock, Timer
from proxy.plane.totals import AccessRecord
from proxy.runtime.log import FORMATS, Value

FLUSH_AFTER: Final = 0.2
"""Seconds a line may wait for others."""

FLUSH_AT: Final = 512
"""Records that are written without waiting."""


class AccessLog:
    """The plane's observer: turns finished requests into lines."""

    def __init__(self, write: Callable[[str], None], clock: Clock, *, form: str = "text") -> None:
        self._write = write
        self._clock = clock
        self._timer: Timer | None = None
        self._kept: list[tuple[float, AccessRecord]] = []
        self.form = form
        self.enabled = True

    def finished(self, record: AccessRecord) -> None:
        """Keep ``record`` until the next flush."""
        if not self.enabled:
            return
        self._kept.append((self._clock.wall(), record))
        if len(self._kept) >= FLUSH_AT:
            self.flush()
        elif self._timer is None:
            self._timer = self._clock.call_later(FLUSH_AFTER, self.flush)

    def flush(self) -> None:
        """Write what is kept."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        kept, self._kept = self._kept, []
        if kept:
            line = FORMATS[self.form]
            self._write(
                "".join(line(at, "info", "request", "", _fields(one)) + "\n" for at, one in kept)
            )


def _fields(record: AccessRecord) -> dict[str, Value]:
    said: dict[str, Value] = {
        "method": record.method,
        "route": record.route,
        "status": record.status,
        "in": record.bytes_in,
        "out": record.bytes_out,
        "seconds": round(record.seconds, 6),
        "credential": record.credential,
        "generation": record.generation,
        "client": record.client,
        "error": record.error,
        "instance": record.instance,
        "replayed": record.replayed or None,
    }
    return {name: value for name, value in said.items() if value is not None}
