"""A session's cookies among others: sent first and only once, never handed on to the client.

Cuts and joins the values of ``Cookie`` and ``Set-Cookie`` (RFC 6265 sections 4.1 and 4.2) and
leaves every other byte as it came. No I/O.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Final

from proxy.plane.response import PreparedResponse

SET_COOKIE: Final = re.compile(rb"\r\nset-cookie:[ \t]*([^\r\n=;]*)[^\r\n]*", re.IGNORECASE)


def beside(ours: bytes, names: frozenset[str], own: bytes) -> bytes:
    """The value of the one ``Cookie`` field: ours, then the client's that are named otherwise.

    Args:
        ours: the session's cookies.
        names: theirs.
        own: what the client sent.
    """
    pairs = (pair.strip(b" \t") for pair in own.split(b";"))
    kept = [pair for pair in pairs if pair and _name(pair) not in names]
    return b"; ".join((ours, *kept))


def withheld(response: PreparedResponse, names: frozenset[str]) -> PreparedResponse:
    """The response without the upstream's ``Set-Cookie`` of these names."""
    before, after = _without(response.before, names), _without(response.after, names)
    if before == response.before and after == response.after:
        return response
    return replace(response, before=before, after=after)


def _without(head: bytes, names: frozenset[str]) -> bytes:
    return SET_COOKIE.sub(lambda line: b"" if _text(line[1]) in names else line[0], head)


def _name(pair: bytes) -> str:
    return _text(pair.partition(b"=")[0])


def _text(name: bytes) -> str:
    return name.rstrip(b" \t").decode("latin-1")
