"""Which bytes may stand where in a message head (RFC 9110 section 5.6, RFC 9112 sections 3 and 5).

Decides about bytes alone; what a field means is said elsewhere.
"""

from __future__ import annotations

from typing import Final

from proxy.http1.refusal import MessageError

TOKEN: Final = b"!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
TARGET: Final = bytes(range(0x21, 0x7F))
FIELD_TEXT: Final = b"\t" + bytes(range(0x20, 0x7F)) + bytes(range(0x80, 0x100))
WHITESPACE: Final = b" \t"


def is_token(text: bytes) -> bool:
    """Whether ``text`` is a token: a method, a field name."""
    return bool(text) and not text.translate(None, TOKEN)


def is_target(text: bytes) -> bool:
    """Whether ``text`` holds only what may stand in a request target."""
    return bool(text) and not text.translate(None, TARGET)


def split_lines(head: bytes) -> list[bytes]:
    """The lines of a head that ends with an empty line, each without its CRLF.

    Raises:
        MessageError: a control byte, a CR or LF that is not half of a CRLF, or another end.
    """
    lines = head[:-4].split(b"\r\n")
    plain = head.endswith(b"\r\n\r\n")
    if not plain or head.translate(None, FIELD_TEXT) != b"\r\n" * (len(lines) + 1):
        raise MessageError("a control character, or a bare CR or LF, in the message head")
    return lines


def list_members(value: bytes) -> list[bytes]:
    """The members of a comma-separated list, lower case, empty ones left out."""
    members = [member.strip(WHITESPACE) for member in value.lower().split(b",")]
    return [member for member in members if member]
