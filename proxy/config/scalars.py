"""Reads single values: text, durations, sizes, switches, numbers.

Each function takes what the file holds and returns what it means, or raises UnfitError with
the rest of a sentence that begins with the key's name. No message repeats the value: it might
be a secret in the wrong place.
"""

from __future__ import annotations

import re
from typing import Final

_DURATION: Final = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,9})?)(ms|s|m|h|d)?")
_SECONDS: Final = {None: 1.0, "ms": 0.001, "s": 1.0, "m": 60.0, "h": 3600.0, "d": 86400.0}
_SIZE: Final = re.compile(r"([0-9]{1,15})(B|KiB|MiB|GiB|TiB)?")
_BYTES: Final = {None: 0, "B": 0, "KiB": 10, "MiB": 20, "GiB": 30, "TiB": 40}
_SWITCH: Final = {"on": True, "yes": True, "off": False, "no": False}
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")  # RFC 9110 section 5.6.2


class UnfitError(ValueError):
    """A value is not what its key takes; says so in the rest of a sentence, without the value."""


def text(value: object) -> str:
    """Any text but the empty one, on one line."""
    if isinstance(value, (bool, int, float)):
        raise UnfitError("must be text: put it in quotes")
    if not isinstance(value, str):
        raise UnfitError("must be text")
    if not value:
        raise UnfitError("must not be empty")
    if not value.isprintable():
        raise UnfitError("must not hold line breaks or control characters")
    return value


def texts(value: object) -> tuple[str, ...]:
    """One text, or a list of them."""
    items = value if isinstance(value, list) else [value]
    if not items:
        raise UnfitError("must name at least one")
    return tuple(text(item) for item in items)


def switch(value: object) -> bool:
    """True or false; YAML 1.1's other words for them are understood."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str) and value.lower() in _SWITCH:
        return _SWITCH[value.lower()]
    raise UnfitError("must be true or false")


def count(value: object) -> int:
    """A whole number from 0."""
    if isinstance(value, bool) or not isinstance(value, int) or not 0 <= value < 1 << 31:
        raise UnfitError("must be a whole number")
    return value


def duration(value: object) -> float:
    """Seconds, 0 or more."""
    found = _DURATION.fullmatch(str(value)) if _is_number_or_text(value) else None
    if found is None:
        raise UnfitError("must be a duration such as 90, 90s, 15m or 2h")
    seconds = float(found[1]) * _SECONDS[found[2]]
    if seconds > 366 * 86400:
        raise UnfitError("must be a duration of at most a year")
    return seconds


def share(value: object) -> float:
    """A part of the whole, from 0 to 1."""
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
        raise UnfitError("must be a number from 0 to 1")
    return float(value)


def size(value: object) -> int:
    """Bytes, 0 or more."""
    found = _SIZE.fullmatch(str(value)) if _is_number_or_text(value) else None
    if found is None:
        raise UnfitError("must be a size such as 65536, 64KiB, 1MiB or 10GiB")
    number = int(found[1]) << _BYTES[found[2]]
    if number >= 1 << 53:
        raise UnfitError("must be a size below 8 PiB")
    return number


def _is_number_or_text(value: object) -> bool:
    return isinstance(value, (int, float, str)) and not isinstance(value, bool)


def token(value: object) -> str:
    """A token as header fields and schemes are made of (RFC 9110 section 5.6.2)."""
    word = text(value)
    if not _TOKEN.fullmatch(word):
        raise UnfitError("must be made of letters, digits and !#$%&'*+-.^_`|~ alone")
    return word
