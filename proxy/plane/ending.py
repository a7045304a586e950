"""Whether a peer's end is its own word: over TLS anybody on the way can end the TCP stream.

TLS has an end of its own, close_notify (RFC 8446 section 6.1); without it a body that lasts
until the close may be cut short (RFC 9112 section 9.8).
"""

from __future__ import annotations

import asyncio
import ssl


def in_order(transport: asyncio.BaseTransport) -> bool:
    """Whether the peer, whose end has just come, meant it."""
    tls: ssl.SSLObject | None = transport.get_extra_info("ssl_object")
    if tls is None:
        return True
    try:
        return not tls.read(1)  # asyncio tells of both ends alike; OpenSSL knows which it was
    except ssl.SSLZeroReturnError:
        return True
    except ssl.SSLError:
        return False
