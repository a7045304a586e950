"""Field lines: their checked names and values, and which of them stop at an intermediary.

Keeps each line's own bytes, so that what is passed on keeps its order, spelling and
spaces (RFC 9110 sections 5.1, 7.6.1).
"""

from __future__ import annotations

import functools
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple, Self

from proxy.http1.refusal import MessageError
from proxy.http1.syntax import WHITESPACE, is_token, list_members

HOP_BY_HOP: Final = frozenset(
    {b"connection", b"keep-alive", b"te", b"transfer-encoding", b"upgrade", b"http2-settings"}
)
NOTHING: Final[frozenset[bytes]] = frozenset()
FORWARDING: Final = frozenset({b"forwarded", b"x-real-ip"})
NEVER_IN_TRAILERS: Final = frozenset(
    {b"content-length", b"host", b"authorization", b"cookie", b"set-cookie", b"trailer"}
)


class Field(NamedTuple):
    """One field line: its name in lower case, its value without outer spaces, its own bytes."""

    name: bytes
    value: bytes
    line: bytes


class Fields(tuple[Field, ...]):  # noqa: SLOT001 - a tuple can't have slots of its own
    """The field lines of one head, in order; to ask for a name costs one look-up."""

    by_name: dict[bytes, list[bytes]]

    def __new__(cls, fields: Iterable[Field]) -> Self:
        """Take the lines as they came."""
        made = super().__new__(cls, fields)
        by_name = made.by_name = {}
        for name, value, _ in made:
            if name in by_name:
                by_name[name].append(value)
            else:
                by_name[name] = [value]
        return made


def parse_field(line: bytes) -> Field:
    """Check one field line.

    Raises:
        MessageError: folding, no colon, or a name that is no token (a space before the colon too).
    """
    name, colon, value = line.partition(b":")
    lower = _checked_name(name)
    if not colon:
        raise MessageError("a header line without a colon")
    return Field(lower, value.strip(WHITESPACE), line)


@functools.lru_cache(maxsize=1024)  # programs send the same few names over and over
def _checked_name(name: bytes) -> bytes:
    if name[:1] in {b" ", b"\t"}:
        raise MessageError("obsolete line folding in the message head")
    if not is_token(name):
        raise MessageError("a header name that is not a token")
    return name.lower()


def values(fields: Iterable[Field], name: bytes) -> Sequence[bytes]:
    """The values of every line of the field ``name`` (lower case), in order."""
    if isinstance(fields, Fields):
        return fields.by_name.get(name, ())
    return [field.value for field in fields if field.name == name]


def nominated(fields: Iterable[Field]) -> frozenset[bytes]:
    """What ``Connection`` names: options and fields meant for this hop only."""
    connection = values(fields, b"connection")
    if not connection:
        return NOTHING
    found: set[bytes] = set()
    for value in connection:
        found.update(list_members(value))
    return frozenset(found)


@functools.lru_cache(maxsize=1024)
def stops_here(name: bytes) -> bool:
    """Whether a request field never goes further; ``_`` counts as ``-`` (CGI can't tell them)."""
    plain = name.replace(b"_", b"-")
    return (
        plain in HOP_BY_HOP
        or plain in FORWARDING
        or name == b"content_length"  # nobody behind us may take it for the body's length
        or plain.startswith((b"proxy-", b"x-forwarded-", b"x-token-sidecar"))
    )


def stops_on_return(name: bytes) -> bool:
    """Whether a response field never goes back to the client."""
    return name in HOP_BY_HOP or name == b"proxy-authenticate"


def trailers_to_pass(fields: Iterable[Field], dropped: frozenset[bytes]) -> list[Field]:
    """The trailer fields that may travel on (RFC 9110 section 6.5.1)."""
    return [
        field
        for field in fields
        if (plain := field.name.replace(b"_", b"-")) not in dropped
        and plain not in NEVER_IN_TRAILERS
        and not stops_here(plain)
    ]
