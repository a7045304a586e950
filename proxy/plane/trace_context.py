"""The caller's place in a trace: ``traceparent`` as W3C Trace Context (section 3.2) wants it.

Decides what is one, what is none, and how another takes its place in a head; whether there are
spans at all is said elsewhere. No I/O.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

PATTERN: Final = re.compile(rb"([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
PARENT_LINE: Final = re.compile(
    rb"(\r\ntraceparent:[ \t]*)([^\r\n]*?)[ \t]*(?=\r\n)", re.IGNORECASE
)
CONTEXT_LINES: Final = re.compile(rb"\r\n(?:traceparent|tracestate):[^\r\n]*", re.IGNORECASE)
VERSION: Final = b"00"
NO_VERSION: Final = b"ff"
KNOWN_FLAGS: Final = 3
"""Sampled (1), and that the trace id is random (2); others mean nothing yet and go no further."""


class Parent(NamedTuple):
    """The span that asks; the identifiers are lower-case hexadecimal digits."""

    trace: str
    span: str
    flags: int


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
    return Parent(trace.decode(), span.decode(), int(flags, 16) & KNOWN_FLAGS)


def parent_in(head: bytes) -> Parent | None:
    """Who asks, by a head's lines; None where that is not said, or not once and well."""
    found = PARENT_LINE.findall(head)
    return parent_of(found[0][1]) if len(found) == 1 else None


def with_parent(message: bytes, value: bytes, *, joined: bool) -> bytes:
    """``message`` with another ``traceparent`` in its head.

    ``joined``: in place of a good one, and ``tracestate`` stays as it came. Otherwise a trace
    begins here, and what was said of another goes (section 4.3).
    """
    head, gap, body = message.partition(b"\r\n\r\n")
    if joined:
        head = PARENT_LINE.sub(lambda line: line[1] + value, head + b"\r\n", count=1)[:-2]
    else:
        head = CONTEXT_LINES.sub(b"", head) + b"\r\ntraceparent: " + value
    return head + gap + body
