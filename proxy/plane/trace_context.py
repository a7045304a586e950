"""The caller's place in a trace: ``traceparent`` as W3C Trace Context (section 3.2) wants it read.

Decides what is one and what is none; whether there are spans at all is said elsewhere. No I/O.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

PATTERN: Final = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
VERSION: Final = b"00"
NO_VERSION: Final = b"ff"
SAMPLED: Final = 1


class Parent(NamedTuple):
    """The span that asks; the identifiers are lower-case hexadecimal digits."""

    trace: str
    span: str
    sampled: bool


def parent_of(value: bytes) -> Parent | None:
    """Who is named by this value of ``traceparent``; None where it is malformed.

    A later version is read as far as this one goes (section 4.3).
    """
    match = PATTERN.fullmatch(value)
    if match is None:
        return None
    version, trace, span, flags, more = match.groups()
    if version == NO_VERSION or (version == VERSION and more is not None):
        return None
    if not trace.strip(b"0") or not span.strip(b"0"):
        return None
    return Parent(trace.decode(), span.decode(), bool(int(flags, 16) & SAMPLED))
