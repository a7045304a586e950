"""Who may ask the control plane for what no web page may: tokens, changes.

Decides by the socket's peer or the client's key; which credential a client may have is decided
where it is lent.
"""

from __future__ import annotations

import os
from typing import Final

from aiohttp import web

from proxy.control.guarding import head_fields
from proxy.http1.refusal import MessageError
from proxy.plane.guard import Guard
from proxy.plane.peer import peer_uid

MARK: Final = "X-Token-Sidecar"


def marked(request: web.Request) -> None:
    """Be sure that no web page sent this unasked.

    Raises:
        MessageError: one may have.
    """
    if request.headers.get(MARK) != "1":
        raise MessageError(f"this wants the field {MARK}: 1, so that no web page can ask", 403)


def caller(request: web.Request, guard: Guard) -> str | None:
    """The client that asks; None: our own user, over a Unix socket.

    Raises:
        MessageError: it is neither.
    """
    sock = request.transport.get_extra_info("socket") if request.transport else None
    if sock is not None and sock.family.name == "AF_UNIX":
        if peer_uid(sock) not in {None, os.getuid()}:
            raise MessageError("this socket serves its own user only", 403)
        return None
    client, _ = guard.client(head_fields(request))
    if client is None:
        raise MessageError("over TCP this wants a client's key; see `clients`", 403)
    return client
