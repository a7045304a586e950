"""How a lent token goes onto a program's own request, and where it must never go.

Knows no HTTP library. RFC 6750 section 2.1, RFC 6454 section 4.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import urlsplit

from proxy.client.lent import Lent
from proxy.errors import SidecarError
from proxy.message import is_loopback

UNAUTHORIZED: Final = 401
_PORTS: Final = {"http": 80, "https": 443}

Origin = tuple[str, str, int | None]
"""Scheme, host, port."""


class InsecureError(SidecarError):
    """A token would travel readable over a network."""


@dataclass(frozen=True, slots=True)
class Manner:
    """How tokens are sent.

    Attributes:
        scheme: of ``Authorization``; empty for the bare token.
        allow_insecure: over plain http to other machines too.
    """

    scheme: str = "Bearer"
    allow_insecure: bool = False

    def assure(self, url: str) -> None:
        """Be sure that a token may go to ``url``.

        Raises:
            InsecureError: it would travel readable.
        """
        scheme, host, _ = origin(url)
        if scheme != "https" and not self.allow_insecure and not is_loopback(host):
            raise InsecureError(
                f"a token would go readable over {scheme} to {host}: use https, or"
                " allow_insecure=True where that network is trusted"
            )

    def field(self, lent: Lent, cookies: str | None) -> tuple[str, str]:
        """Name and value of the field that carries the token.

        Args:
            lent: the token.
            cookies: the request's own ``Cookie``; a session goes before them.
        """
        token = lent.token.reveal()
        if lent.cookie:
            return "Cookie", f"{token}; {cookies}" if cookies else token
        return "Authorization", f"{self.scheme} {token}".lstrip()


def origin(url: str) -> Origin:
    """The origin of a URL."""
    parts = urlsplit(url)
    scheme = parts.scheme.lower()
    return scheme, (parts.hostname or "").lower(), parts.port or _PORTS.get(scheme)
