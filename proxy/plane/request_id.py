"""What a request is called in the log: by its caller's ``X-Request-Id``, else by its trace.

Decides which of the caller's names is fit for a line; who gave none is named by whoever writes
the line. Nothing is added to what is forwarded. No I/O.
"""

from __future__ import annotations

import re
from typing import Final

from proxy.http1.syntax import WHITESPACE
from proxy.plane.trace_context import parent_of

SANE: Final = re.compile(rb"[!#-\[\]-~]{1,128}")
"""Visible ASCII but for the quotation mark and the backslash, which lines give a meaning."""
REQUEST_ID: Final = b"\r\nx-request-id:"
TRACEPARENT: Final = b"\r\ntraceparent:"


def request_id(head: bytes) -> str | None:
    """What the caller calls this request, if it does, once and in fit words."""
    lower = head.lower()
    own = _only(head, lower, REQUEST_ID)
    if own is not None and SANE.fullmatch(own):
        return own.decode("ascii")
    context = _only(head, lower, TRACEPARENT)
    parent = None if context is None else parent_of(context)
    return None if parent is None else parent.trace


def _only(head: bytes, lower: bytes, field: bytes) -> bytes | None:
    """The value of a field that is there once."""
    start = lower.find(field)
    if start < 0 or lower.find(field, start + 1) >= 0:
        return None
    start += len(field)
    return head[start : head.find(b"\r\n", start)].strip(WHITESPACE)
