"""Reads what names a place: hosts, listeners' addresses, Host values, URLs, paths, origins.

Like ``scalars``: what is read, or UnfitError with the rest of a sentence, the value unsaid.
RFC 3986 for URLs, RFC 9110 section 4.2 for what http makes of them.
"""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote_to_bytes, urlsplit

from proxy.config.model import Address
from proxy.config.scalars import UnfitError, text

_HOST: Final = re.compile(r"[a-z0-9_]([a-z0-9._-]{0,251}[a-z0-9_])?")
_ADDRESS: Final = re.compile(r"(\[[^\]]*\]|[^:\[\]]*):([0-9]{1,5})")
_AUTHORITY: Final = re.compile(r"(\[[^\]]*\]|[^:\[\]]+)(?::([0-9]{1,5}))?")
_VISIBLE: Final = re.compile(r"[\x21-\x7e]+")
_UNWISE: Final = '"<>\\^`{|}'  # in no URL (RFC 3986 section 2)
_ESCAPES: Final = re.compile(r"(?:[^%]|%[0-9A-Fa-f]{2})*")
_DIGITS: Final = re.compile(r"[0-9.]+")
_SOCKET_PATH: Final = 104  # bytes that every system's sockaddr_un has room for


@dataclass(frozen=True, slots=True)
class Url:
    """An http or https URL taken apart; ``host`` in lower case, without brackets."""

    secure: bool
    host: str
    port: int
    authority: str
    path: str
    query: str


def host(value: object) -> str:
    """A host name or IP address, in lower case, without brackets."""
    name = text(value).lower()
    bare = name[1:-1] if name.startswith("[") and name.endswith("]") else name
    if ":" in bare or _DIGITS.fullmatch(bare):
        return _ip(bare)
    if not _HOST.fullmatch(bare) or ".." in bare:
        raise UnfitError("must be a host name or an IP address")
    return bare


def _ip(bare: str) -> str:
    try:
        return str(ipaddress.ip_address(bare))
    except ValueError:
        raise UnfitError("must be a host name or an IP address") from None


def address(value: object) -> Address:
    """``host:port`` or ``unix:/path``."""
    if isinstance(value, bool) or not isinstance(value, (str, int)):
        raise UnfitError("must be an address such as 127.0.0.1:8080 or unix:/path")
    if isinstance(value, str) and value.startswith("unix:"):
        return _socket(value.removeprefix("unix:"))
    found = _ADDRESS.fullmatch(str(value))
    if found is None or not found[1]:
        raise UnfitError("must be host:port, such as 127.0.0.1:8080, or unix:/path")
    if int(found[2]) > 65535:
        raise UnfitError("must have a port of at most 65535")
    return Address(host=host(found[1]), port=int(found[2]))


def _socket(path: str) -> Address:
    if not path or not path.isprintable() or len(path.encode()) >= _SOCKET_PATH:
        raise UnfitError(f"must be unix:/path, the path shorter than {_SOCKET_PATH} bytes")
    return Address(path=path)


def authority(value: object) -> str:
    """A Host value: a name, with a port or none, in lower case (RFC 9110 section 7.2)."""
    found = _AUTHORITY.fullmatch(text(value))
    if found is None or int(found[2] or 0) > 65535:
        raise UnfitError("must be a host name, with a port or none; IPv6 in brackets")
    name = host_name(found[1])
    return f"{name}:{int(found[2])}" if found[2] else name


def host_name(value: object) -> str:
    """A Host value without a port, in lower case, IPv6 in brackets."""
    return _bracketed(host(value))


def _bracketed(name: str) -> str:
    return f"[{name}]" if ":" in name else name


def url(value: object, *, userinfo: bool = False) -> Url:
    """An http or https URL, without user, password and fragment (RFC 9110 section 4.2)."""
    whole = text(value)
    if not _VISIBLE.fullmatch(whole) or any(mark in whole for mark in _UNWISE):
        raise UnfitError(
            "must be a URL in visible ASCII without quotes, brackets and the like: "
            "percent-encode anything else"
        )
    try:
        parts = urlsplit(whole)
        port = parts.port
    except ValueError:
        raise UnfitError("must be a URL with a right host and port") from None
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise UnfitError("must be a URL that begins with https:// or http:// and a host")
    if "@" in parts.netloc and not userinfo:
        raise UnfitError("must not hold a user or password: they have keys of their own")
    if "#" in whole:
        raise UnfitError("must not have a fragment (#)")
    if port == 0:
        raise UnfitError("must not have port 0")
    secure, name = parts.scheme == "https", host(parts.hostname)
    own = 443 if secure else 80
    shown = _bracketed(name) if port in (None, own) else f"{_bracketed(name)}:{port}"
    return Url(secure, name, port or own, shown, parts.path, parts.query)


def prefix(value: object) -> str:
    """A URL path that others begin with; a ``/`` is added at its end."""
    whole = path(value)
    return whole if whole.endswith("/") else whole + "/"


def path(value: object) -> str:
    """A URL path that can only mean one place."""
    whole = text(value)
    if not whole.startswith("/"):
        raise UnfitError("must begin with /")
    if not _VISIBLE.fullmatch(whole) or not _ESCAPES.fullmatch(whole):
        raise UnfitError("must be visible ASCII: percent-encode anything else (%20)")
    if any(mark in whole for mark in "?#\\"):
        raise UnfitError("must be a path alone, without ?, # and \\")
    parts = segments(whole if whole.endswith("/") else whole + "/")
    if any(_unsafe(part) for part in parts) or b"" in parts:
        raise UnfitError("must not have empty, . or .. segments or encoded control characters")
    return whole


def segments(whole: str) -> tuple[bytes, ...]:
    """The segments of a path that begins and ends with ``/``, each decoded alone."""
    return tuple(unquote_to_bytes(part) for part in whole[1:-1].split("/") if whole != "/")


def _unsafe(part: bytes) -> bool:
    return part in (b".", b"..") or b"\\" in part or any(c < 0x20 or c == 0x7F for c in part)


def origin(value: object) -> str:
    """A browser's Origin: scheme, host and port (RFC 6454 section 6.2), in lower case."""
    word = text(value).lower()
    found = url(word)
    if found.path or found.query or word.endswith("?"):
        raise UnfitError("must be scheme://host[:port] and nothing behind it")
    return f"{'https' if found.secure else 'http'}://{found.authority}"


def is_loopback(name: str) -> bool:
    """Whether only this machine answers by that host name or address."""
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        found = ipaddress.ip_address(name)
    except ValueError:
        return False
    mapped = getattr(found, "ipv4_mapped", None)
    return bool((mapped or found).is_loopback)
