"""One small, whole HTTP request to a provider and its answer, as plain values.

``oauth`` builds and reads them without I/O, ``net`` carries them; neither knows the other.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from proxy.clock import Moment


def origin(url: str) -> str:
    """``scheme://host:port`` of a URL: what a message may show of it, no userinfo, no query."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def is_loopback(host: str) -> bool:
    """Whether a host, without brackets, can only be this machine (RFC 6761 section 6.3)."""
    name = host.lower().rstrip(".")
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        address = ipaddress.ip_address(name)
    except ValueError:
        return False
    return (getattr(address, "ipv4_mapped", None) or address).is_loopback


@dataclass(frozen=True, slots=True)
class Request:
    """A request to send once. Its body and headers may hold secrets: it does not show them."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, decompressed and whole, with the moments of sending and of arrival.

    Attributes:
        headers: names in lower case; of repeated fields the first.
        cookies: every ``Set-Cookie`` value, in order.
    """

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)
    sent: Moment
    received: Moment
    cookies: tuple[str, ...] = field(default=(), repr=False)
