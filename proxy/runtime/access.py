"""The access log: what was answered, cheaply. Records are kept as they are, written in bulk.

A line never holds a query, a header or a path beyond the route's label. What many lines have in
common is formatted once: a line costs 2 µs.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from proxy.clock import Clock, Timer
from proxy.config import model
from proxy.plane.totals import AccessRecord
from proxy.runtime.log import Value, stamp, text_fields

FLUSH_AFTER: Final = 0.2
"""Seconds a line may wait for others."""

FLUSH_AT: Final = 512
"""Records that are written without waiting."""


SHOWN: Final = frozenset({"debug", "info"})
"""Log levels at which requests are told."""


class AccessLog:
    """The plane's observer: turns finished requests into lines."""

    def __init__(self, write: Callable[[str], None], clock: Clock, *, form: str = "text") -> None:
        self._write = write
        self._clock = clock
        self._timer: Timer | None = None
        self._kept: list[tuple[float, AccessRecord]] = []
        self.form = form
        self.enabled = True

    def obey(self, configured: model.Log) -> None:
        """Write in this form from now on, or not at all."""
        self.form = configured.format
        self.enabled = configured.access and configured.level in SHOWN

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
            line = LINES[self.form]
            self._write("".join([line(at, record) for at, record in kept]))


def text_line(at: float, record: AccessRecord) -> str:
    """A request for people, with its end of line."""
    before, after = _text_around(*_names(record))
    named = f" instance={record.instance}" if record.instance else ""
    return (
        f"{stamp(at)} INFO    request{before} status={record.status} in={record.bytes_in}"
        f" out={record.bytes_out} seconds={record.seconds:.6f}{after}{named}\n"
    )


def json_line(at: float, record: AccessRecord) -> str:
    """A request for programs: one JSON object, with its end of line."""
    before, after = _json_around(*_names(record))
    named = f',"instance":"{record.instance}"' if record.instance else ""
    return (
        f'{{"time":"{stamp(at)}","level":"info","event":"request"{before}'
        f',"status":{record.status},"in":{record.bytes_in},"out":{record.bytes_out}'
        f',"seconds":{record.seconds:.6f}{after}{named}}}\n'
    )


LINES: Final = {"text": text_line, "json": json_line}

Names = tuple[str, str | None, str | None, int | None, str | None, str | None, bool]


def _names(record: AccessRecord) -> Names:
    """What many requests have in common, in the order that ``_told`` wants it."""
    return (
        record.method,
        record.route,
        record.credential,
        record.generation,
        record.client,
        record.error,
        record.replayed,
    )


def _told(
    method: str,
    route: str | None,
    credential: str | None,
    generation: int | None,
    client: str | None,
    error: str | None,
    replayed: bool,
) -> tuple[dict[str, Value], dict[str, Value]]:
    before = {"method": method, "route": route}
    after = {
        "credential": credential,
        "generation": generation,
        "client": client,
        "error": error,
        "replayed": replayed or None,
    }
    return _known(before), _known(after)


def _known(fields: Mapping[str, Value]) -> dict[str, Value]:
    return {name: value for name, value in fields.items() if value is not None}


@functools.lru_cache(maxsize=512)
def _text_around(*names: Any) -> tuple[str, str]:
    before, after = _told(*names)
    return text_fields(before), text_fields(after)


@functools.lru_cache(maxsize=512)
def _json_around(*names: Any) -> tuple[str, str]:
    before, after = (json.dumps(part, separators=(",", ":"))[1:-1] for part in _told(*names))
    return f",{before}", f",{after}" if after else ""
