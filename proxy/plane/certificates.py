"""TLS on our own listeners: what is spoken, and which certificate is shown at the moment.

A listening socket keeps the context it was opened with; the certificate is chosen anew with
every handshake, so that a reload changes it and cuts no connection. Reads no files.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable
from typing import Final

HANDSHAKE: Final = 10.0
"""Seconds for a client's TLS handshake: as long as for the head that follows it."""

GOODBYE: Final = 2.0
"""Seconds that a closed connection waits for the client's close_notify."""


def server_context() -> ssl.SSLContext:
    """TLS 1.2 or later, HTTP/1.1, no renegotiation; still without a certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.options |= ssl.OP_NO_RENEGOTIATION
    context.set_alpn_protocols(["http/1.1"])
    return context


def front(present: Callable[[], ssl.SSLContext | None]) -> ssl.SSLContext:
    """A context that shows the certificate of the one that ``present`` gives at that moment."""

    def choose(connection: ssl.SSLObject, _name: str | None, _front: ssl.SSLContext) -> None:
        if (chosen := present()) is not None:  # without one the handshake fails
            connection.context = chosen

    context = server_context()
    context.sni_callback = choose
    return context
