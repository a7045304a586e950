"""Who is at the other end of a Unix socket, by the kernel's word.

Knows nothing of what that user may do.
"""

from __future__ import annotations

import socket
import struct
from typing import Final

_CREDENTIALS: Final = struct.Struct("3i")


def peer_uid(sock: socket.socket) -> int | None:
    """The user id of the process that connected; None where the system does not tell.

    Without it, off Linux, the socket file's mode 0600 is what keeps others out.
    """
    option = getattr(socket, "SO_PEERCRED", None)
    if option is None:
        return None
    peer = sock.getsockopt(socket.SOL_SOCKET, option, _CREDENTIALS.size)
    uid: int = _CREDENTIALS.unpack(peer)[1]
    return uid
