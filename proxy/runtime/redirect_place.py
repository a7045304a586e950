"""Where a login's redirect can be waited for on this machine: RFC 8252 sections 7.3 and 8.3.

Reads a redirect_uri and binds its port; serves nothing.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from proxy.errors import StartError
from proxy.message import is_loopback
from proxy.plane.settings import Address
from proxy.runtime.sockets import bind

HOST: Final = "127.0.0.1"
"""By number: a name might be looked up elsewhere (RFC 8252 section 8.3)."""
PATH: Final = "/callback"
HTTP_PORT: Final = 80


@dataclass(frozen=True, slots=True)
class RedirectPlace:
    """A loopback address with a path; port 0 is any that is free."""

    address: Address
    path: str

    @property
    def uri(self) -> str:
        """As it is registered with the provider, where the configuration does not say it."""
        return f"http://{self.address}{self.path}"


def redirect_place(redirect_uri: str | None, port: int | None) -> RedirectPlace | None:
    """Where the redirect arrives, None where that is not on this machine.

    Args:
        redirect_uri: the configured one, None for one of our own.
        port: of our own one; None for any that is free.
    """
    if redirect_uri is None:
        return RedirectPlace(Address(HOST, port or 0), PATH)
    parts = urlsplit(redirect_uri)
    host = parts.hostname or ""
    if parts.scheme != "http" or not is_loopback(host):
        return None
    return RedirectPlace(Address(host, parts.port or HTTP_PORT), parts.path or "/")


def bound(place: RedirectPlace) -> tuple[RedirectPlace, list[socket.socket]]:
    """The place with its real port, and the sockets there.

    Raises:
        StartError: the port is taken or may not be used.
    """
    key = "redirect_uri or redirect_port"
    try:
        sockets = bind(place.address, key=key)
    except StartError:
        # The name may stand for addresses that this machine does not have (::1 in a container).
        if place.address.host == HOST or not place.address.port:
            raise
        sockets = bind(Address(HOST, place.address.port), key=key)
    port = int(sockets[0].getsockname()[1])
    return RedirectPlace(Address(place.address.host, port), place.path), sockets
