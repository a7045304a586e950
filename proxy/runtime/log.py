"""One line per event on one stream, as text or JSON; nothing a line says can break the line.

Decides how lines look and where other libraries' messages go. Tracebacks stay inside, except
at debug level; no caller hands a secret to a log, and a ``Secret`` that slips in shows nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
import functools
import json
import logging
import time
import traceback
from collections.abc import Mapping
from typing import Any, Final, TextIO

EVENTS: Final = "token-sidecar"
"""The logger of this program's own events."""

LEVELS: Final = {
    "debug": logging.DEBUG,
    "info": logging.INFO,
    "warning": logging.WARNING,
    "error": logging.ERROR,
}

Value = str | int | float | bool | None


def stamp(wall: float) -> str:
    """``wall`` as RFC 3339 in UTC with milliseconds."""
    seconds = int(wall)
    return f"{_to_the_second(seconds)}.{int((wall - seconds) * 1000):03d}Z"


@functools.lru_cache(maxsize=4)  # a thousand lines may share one
def _to_the_second(seconds: int) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds))


def quoted(value: Value) -> str:
    """A value as it stands in a line of text: quoted only where it could be misread."""
    plain = str(value)
    if plain and plain.isprintable() and not any(mark in plain for mark in ' "=\\'):
        return plain
    return json.dumps(plain, ensure_ascii=not plain.isprintable())


def one_line(message: str) -> str:
    """``message`` without anything that a terminal or a log reader would act on."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in message)


def text_fields(fields: Mapping[str, Value]) -> str:
    """Fields as they stand in a line for people, each after a space."""
    return "".join(f" {name}={quoted(value)}" for name, value in fields.items())


def text_line(
    wall: float, level: str, event: str, message: str, fields: Mapping[str, Value]
) -> str:
    """A line for people."""
    said = f": {one_line(message)}" if message else ""
    return f"{stamp(wall)} {level.upper():7} {event}{text_fields(fields)}{said}"


def json_line(
    wall: float, level: str, event: str, message: str, fields: Mapping[str, Value]
) -> str:
    """A line for programs: one JSON object."""
    head: dict[str, Value] = {"time": stamp(wall), "level": level, "event": event}
    if message:
        head["message"] = message
    return json.dumps(head | dict(fields), separators=(",", ":"), default=str)


FORMATS: Final = {"text": text_line, "json": json_line}


class OneLine(logging.Formatter):
    """Every record in one line, whoever logged it; a traceback's text only at debug level."""

    def __init__(self, form: str, *, debug: bool) -> None:
        super().__init__()
        self._line = FORMATS[form]
        self._debug = debug

    def format(self, record: logging.LogRecord) -> str:
        """The line for ``record``, without its end."""
        event = getattr(record, "event", record.name)
        fields = dict(getattr(record, "fields", {}))
        if record.exc_info and record.exc_info[0]:
            fields |= self._unexpected(record.exc_info)
        return self._line(
            record.created, record.levelname.lower(), event, record.getMessage(), fields
        )

    def _unexpected(self, exc_info: Any) -> dict[str, str]:
        raised = {"exception": exc_info[0].__name__}
        if self._debug:
            raised["traceback"] = "".join(traceback.format_exception(*exc_info))
        return raised


class Stream(logging.StreamHandler[TextIO]):
    """Writes to a stream that may go away: a closed pipe ends the log, not the process."""

    def handleError(self, record: logging.LogRecord) -> None:  # noqa: N802 - logging's name
        """Drop what can't be written; there is nowhere to complain."""

    def write(self, lines: str) -> None:
        """Write whole lines that are formatted already."""
        self.acquire()
        try:
            with contextlib.suppress(OSError, ValueError):
                self.stream.write(lines)
                self.stream.flush()
        finally:
            self.release()


class Log:
    """The program's events, one line each."""

    def __init__(self, stream: TextIO, *, form: str = "text", level: str = "info") -> None:
        self._stream = Stream(stream)
        self._logger = logging.getLogger(EVENTS)
        self.set(form, level)

    def set(self, form: str, level: str) -> None:
        """Use this form and level from now on, for libraries' messages as well."""
        self.form, self.level = form, level
        debug = level == "debug"
        self._stream.setFormatter(OneLine(form, debug=debug))
        root = logging.getLogger()
        root.handlers[:] = [self._stream]
        root.setLevel(logging.WARNING)
        self._logger.setLevel(LEVELS[level])
        for noisy in ("asyncio", "aiohttp"):
            logging.getLogger(noisy).setLevel(logging.WARNING)

    def event(self, level: str, event: str, message: str = "", **fields: Value) -> None:
        """Write one event; fields that are None are left out."""
        said = {name: value for name, value in fields.items() if value is not None}
        self._logger.log(LEVELS[level], "%s", message, extra={"event": event, "fields": said})

    def write(self, lines: str) -> None:
        """Write lines that are formatted already, each with its end."""
        self._stream.write(lines)

    def unexpected(self, where: str, error: BaseException) -> None:
        """A fault of this program: one line with the class's name, the rest at debug level."""
        self._logger.error(
            "unexpected error; this is a bug",
            exc_info=error,
            extra={"event": where, "fields": {}},
        )

    def loop_fault(self, _loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        """What the event loop reports when nobody else took an exception."""
        error = context.get("exception")
        if isinstance(error, BaseException):
            self.unexpected("loop_fault", error)
        else:
            self.event("error", "loop_fault", str(context.get("message", "")))
