"""Heads that differ only in fields nobody here asks about: each line is checked, nothing read anew.

What follows from a head depends on its request line and on the few fields that decide
something (``DECIDING``, and what the routes drop). Heads that agree in those share an outline;
the other lines, an ever new X-Request-Id among them, are passed on in their places.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Generic, NamedTuple, TypeVar

from proxy.http1.fields import Field, stops_here
from proxy.http1.syntax import split_lines
from proxy.plane.cache import LENGTH_FIELD, HeadCache

DECIDING: Final = frozenset(
    {
        *(b"host", b"connection", b"content-length", b"transfer-encoding", b"te", b"upgrade"),
        *(b"expect", b"origin", b"sec-fetch-site", b"authorization"),
    }
)
"""Whoever asks a request's head for one more field by name adds it here."""
LENGTH_LINE: Final = LENGTH_FIELD[2:]
MOST_NAMES: Final = 1024
CUT: Final = b"\r\n"
"""Stands for the Content-Length line that is cut where its digits were; no line looks so."""


class Source(NamedTuple):
    """A head as it came, and its Content-Length's digits where they are cut out (or b"")."""

    raw: bytes
    digits: bytes


class Outline(NamedTuple):
    """What heads of one outline have in common.

    Attributes:
        start: the outgoing request line, with what follows it at once.
        outcome: of each deciding line what goes out: itself, another, nothing (b""), or ``CUT``.
        tail: the outgoing lines behind all of them.
    """

    start: bytes
    outcome: dict[bytes, bytes]
    tail: bytes

    def lines(self, found: Iterable[bytes]) -> tuple[bytes, bytes]:
        """The outgoing head, cut where Content-Length's digits stand."""
        out, before = [self.start], b""
        for line in found:
            goes = self.outcome.get(line, line)
            if goes is CUT:
                before, out = b"\r\n".join(out) + LENGTH_FIELD, [b""]
            elif goes:
                out.append(goes)
        return before, b"\r\n".join(out) + b"\r\n" + self.tail


T = TypeVar("T")


class Outlines(Generic[T]):
    """The outlines of one listener; ``T`` is what is remembered with each of them.

    ``dropped`` are the names that some route does not forward.
    """

    def __init__(self, dropped: frozenset[bytes], most_fields: int) -> None:
        self._dropped = dropped
        self._most_fields = most_fields
        self._plain: set[bytes] = set()
        self._known: HeadCache[tuple[Outline, T]] = HeadCache()

    def key(self, source: Source) -> tuple[bytes, list[bytes]]:
        """The head's outline as a key, and its field lines, the cut one without its digits.

        Raises:
            MessageError: a byte that may not stand in a head.
        """
        raw, digits = source
        lines, plain = split_lines(raw), self._plain
        deciding = [b"cut" if digits else b"whole", lines[0]]
        found = lines[1:]
        for place, line in enumerate(found):
            if line.partition(b":")[0] not in plain:
                if digits and line.startswith(LENGTH_LINE):
                    line = found[place] = LENGTH_LINE  # noqa: PLW2901 - it stands for the cut one
                deciding.append(line)
        return b"\n".join(deciding), found

    def get(self, key: bytes, found: list[bytes]) -> tuple[Outline, T] | None:
        """The outline under this key, unless the head has too many lines to be read at all."""
        return self._known.get(key) if len(found) <= self._most_fields else None

    def put(self, key: bytes, outline: Outline, shared: T) -> None:
        """Remember an outline and what all its heads share."""
        self._known.put(key, (outline, shared))

    def learn(self, fields: Iterable[Field]) -> None:
        """Remember which names decide nothing, as they are spelled."""
        for name, _, line in fields:
            if self._decides(name):
                continue
            if len(self._plain) >= MOST_NAMES:
                self._plain = set()
            self._plain.add(line.partition(b":")[0])

    def _decides(self, name: bytes) -> bool:
        usual = name.replace(b"_", b"-")
        return usual in DECIDING or usual in self._dropped or stops_here(name)
