"""The access log: what was answered, cheaply. Records are kept as they are, written in bulk.

A line never holds a query, a header or a path beyond the route's label; of what the client sent it
has the request's own name, which every request has. What many lines have in common is formatted
once: a line costs 2 µs.
"""

from __future__ import annotations

import functools
import json
import secrets
from collections.abc import Callable, Mapping
from json.encoder import encode_basestring_ascii
from typing import Any, Final

from proxy.clock import Clock, Timer
from proxy.config import model
from proxy.plane.totals import AccessRecord
from proxy.runtime.log import Value, quoted, stamp, text_fields

FLUSH_AFTER: Final = 0.2
"""Seconds a line may wait for others."""

FLUSH_AT: Final = 512
"""Records that are written without waiting."""


SHOWN: Final = frozenset({"debug", "info"})
"""Log levels at which requests are told."""

INSTANCE: Final = "urn:uuid:"
"""Before the name of a problem document."""


class Names:
    """What each request is called: by its caller, else by the answer it got, else by us."""

    def __init__(self, ours: str) -> None:
        self._ours = ours
        self._count = 0

    def of(self, record: AccessRecord) -> str:
        """The name of one request."""
        if record.request_id is not None:
            return record.request_id
        if record.instance is not None:
            return record.instance.removeprefix(INSTANCE)
        self._count += 1
        return f"{self._ours}{self._count:012x}"


class AccessLog:
    """The plane's observer: turns finished requests into lines."""

    def __init__(self, write: Callable[[str], None], clock: Clock, *, form: str = "text") -> None:
        self._write = write
        self._clock = clock
        self._timer: Timer | None = None
        self._kept: list[tuple[float, AccessRecord]] = []
        # Names that no other process gives, nor this one after a restart.
        self._names = Names(secrets.token_hex(10))
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
            line, name = LINES[self.form], self._names.of
            self._write("".join([line(at, record, name(record)) for at, record in kept]))


def text_line(at: float, record: AccessRecord, name: str) -> str:
    """A request for people, with its end of line."""
    before, after = _text_around(*_common(record))
    named = f" instance={record.instance}" if record.instance else ""
    return (
        f"{stamp(at)} INFO    request{before} status={record.status} in={record.bytes_in}"
        f" out={record.bytes_out} seconds={record.seconds:.6f}{after}"
        f" request_id={quoted(name) if '=' in name else name}{named}\n"
    )


def json_line(at: float, record: AccessRecord, name: str) -> str:
    """A request for programs: one JSON object, with its end of line."""
    before, after = _json_around(*_common(record))
    named = f',"instance":"{record.instance}"' if record.instance else ""
    return (
        f'{{"time":"{stamp(at)}","level":"info","event":"request"{before}'
        f',"status":{record.status},"in":{record.bytes_in},"out":{record.bytes_out}'
        f',"seconds":{record.seconds:.6f}{after}'
        f',"request_id":{encode_basestring_ascii(name)}{named}}}\n'
    )


LINES: Final = {"text": text_line, "json": json_line}

Common = tuple[str, str | None, str | None, int | None, str | None, str | None, bool]


def _common(record: AccessRecord) -> Common:
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
