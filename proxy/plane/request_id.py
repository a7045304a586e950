"""What a request is called in the log: by its caller's ``X-Request-Id``, else by its trace.

Decides which of the caller's names is fit for a line; who gave none is named by whoever writes
the line. Nothing is added to what is forwarded. No I/O.
"""

from __future__ import annotations

import re
from typing import Final

from proxy.plane.trace_context import parent_of

REQUEST_ID: Final = re.compile(
    rb"\r\nx-request-id:[ \t]*([!#-\[\]-~]{1,128})[ \t]*\r\n", re.IGNORECASE
)
"""Visible ASCII but for the quotation mark and the backslash, which lines give a meaning."""
TRACEPARENT: Final = re.compile(rb"\r\ntraceparent:[ \t]*([!-~]+)[ \t]*\r\n", re.IGNORECASE)


def request_id(head: bytes) -> str | None:
    """What the caller calls this request, if it does so in fit words; the first one counts."""
    own = REQUEST_ID.search(head)
    if own is not None:
        return own[1].decode("ascii")
    context = TRACEPARENT.search(head)
    parent = None if context is None else parent_of(context[1])
    return None if parent is None else parent.trace
