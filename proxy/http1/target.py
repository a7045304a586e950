"""Request targets: their forms, and what no path may hold (RFC 9112 section 3.2, RFC 3986).

A path is cut at raw slashes and each segment decoded alone, so an encoded slash never
separates; anything an upstream could read as a step upwards is refused.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import unquote_to_bytes

from proxy.http1.refusal import MessageError

DOTS: Final = (b".", b"..")
SEPARATORS: Final = re.compile(rb"[/\\]")
FORBIDDEN_ESCAPES: Final = re.compile(rb"%(?:00|0[aAdD])")
OVERLONG_DOT: Final = re.compile(rb"\xc0\xae|\xe0\x80\xae|\xf0\x80\x80\xae")
AUTHORITY: Final = re.compile(rb"(\[[0-9A-Fa-f:.]+\]|[A-Za-z0-9._~-]+)(?::(\d{0,5}))?")
MOST_DECODINGS: Final = 3


class Target(NamedTuple):
    """A target that may be forwarded: ``path`` and ``query`` (with its ``?``) as they were sent.

    ``authority`` is that of an absolute-form target, else None; ``asterisk`` is ``OPTIONS *``;
    ``secure`` says that the absolute form named https (RFC 9110 section 7.4).
    """

    path: bytes
    query: bytes
    authority: bytes | None = None
    asterisk: bool = False
    secure: bool = False


def parse_target(method: bytes, raw: bytes) -> Target:
    """Read a request target.

    Raises:
        MessageError: not origin-form, absolute-form or ``*``; or it holds what no path may.
    """
    if raw == b"*" and method == b"OPTIONS":
        return Target(b"*", b"", asterisk=True)
    if b"#" in raw or b"\\" in raw:
        raise MessageError("the target holds a # or a backslash")
    authority, secure = None, False
    if not raw.startswith(b"/"):
        secure = raw[:6].lower() == b"https:"
        authority, raw = _absolute(raw)
    path, mark, query = raw.partition(b"?")
    check_path(path)
    return Target(path, mark + query, authority, secure=secure)


def _absolute(raw: bytes) -> tuple[bytes, bytes]:
    scheme, separator, rest = raw.partition(b"://")
    if not separator or scheme.lower() not in {b"http", b"https"}:
        raise MessageError("the target is neither a path nor an http URL")
    end = min(i for i in (rest.find(b"/"), rest.find(b"?"), len(rest)) if i >= 0)
    authority, path = rest[:end], rest[end:]
    return authority, path if path.startswith(b"/") else b"/" + path


def check_path(path: bytes) -> None:
    """Refuse what could mean another place upstream than it means here.

    Raises:
        MessageError: a leading ``//``, ``.`` or ``..`` in any encoding, ``%00``, ``%0a``, ``%0d``.
    """
    if path.startswith(b"//"):
        raise MessageError("the path begins with //")
    if b"." not in path and b"%" not in path:
        return
    if FORBIDDEN_ESCAPES.search(path):
        raise MessageError("the path holds an encoded NUL, CR or LF")
    if _climbs(path):
        raise MessageError("the path holds a . or .. segment")


def _climbs(path: bytes) -> bool:
    for _ in range(1 + MOST_DECODINGS):
        plain = OVERLONG_DOT.sub(b".", path)
        if any(segment.partition(b";")[0] in DOTS for segment in SEPARATORS.split(plain)):
            return True
        decoded = unquote_to_bytes(path)
        if decoded == path:
            return False
        path = decoded
    return False


def segments(path: bytes) -> list[bytes]:
    """The segments behind the leading slash, each decoded alone."""
    parts = path[1:].split(b"/")
    return [unquote_to_bytes(part) for part in parts] if b"%" in path else parts


def split_authority(authority: bytes) -> tuple[str, int | None]:
    """Host in lower case (IPv6 with its brackets) and port of a ``Host`` value.

    Raises:
        MessageError: userinfo, an empty host, or anything else that is no authority.
    """
    match = AUTHORITY.fullmatch(authority)
    if match is None:
        raise MessageError("the Host is not a host with an optional port")
    return match[1].decode("ascii").lower(), int(match[2]) if match[2] else None
