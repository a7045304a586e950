"""A bounded memory of heads seen lately: two generations, the older one dropped whole.

Holds what clients sent, keys included: never logged, gone on reload.
"""

from __future__ import annotations

from typing import Final, Generic, TypeVar

MOST_HEADS: Final = 512
MOST_HEAD_BYTES: Final = 4096
LENGTH_FIELD: Final = b"\r\nContent-Length: "
MOST_DIGITS: Final = 18

T = TypeVar("T")


class HeadCache(Generic[T]):
    """From a head's bytes to what follows from them alone."""

    __slots__ = ("_old", "_young")

    def __init__(self) -> None:
        self._young: dict[bytes, T] = {}
        self._old: dict[bytes, T] = {}

    def get(self, key: bytes) -> T | None:
        """What was put under this key, if it is still here."""
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is not None:
                self.put(key, found)
        return found

    def put(self, key: bytes, value: T) -> None:
        """Remember ``value``; heads longer than 4 KiB are not worth it."""
        if len(key) > MOST_HEAD_BYTES:
            return
        if len(self._young) >= MOST_HEADS:
            self._old = self._young
            self._young = {}
        self._young[key] = value


def cut_length(raw: bytes) -> tuple[bytes, bytes]:
    """A key for a head, and the digits of its Content-Length, which are cut out of it (or b"").

    Heads that differ only there share one key. A head that spells the field otherwise, or
    gives it no plain number, is its own key; the parser then judges it whole. A cut key has no
    empty line at its end, so that it never equals a head whose length is empty.
    """
    start = raw.find(LENGTH_FIELD)
    if start < 0:
        return raw, b""
    start += len(LENGTH_FIELD)
    end = raw.find(b"\r\n", start)
    digits = raw[start:end]
    if not digits.isdigit() or len(digits) > MOST_DIGITS:
        return raw, b""
    return raw[:start] + raw[end:-4], digits
