"""Binds addresses, all before anything is served, and says plainly why one can't be bound.

Knows nothing of who will serve them.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
from pathlib import Path
from typing import Any, Final

from proxy.errors import StartError
from proxy.plane.settings import Address

PRIVATE: Final = 0o600
SHARED: Final = 0o666
"""For a Unix socket whose callers are told apart by their uid."""

UNPRIVILEGED: Final = 1024


def bind(address: Address, *, key: str, mode: int = PRIVATE) -> list[socket.socket]:
    """Sockets bound to ``address``: several where a name stands for several addresses.

    Args:
        address: where to listen.
        key: the configuration key it came from, for the message.
        mode: a Unix socket's permissions.

    Raises:
        StartError: it can't be bound; the message says why and what to do.
    """
    if address.path:
        return [_bind_unix(Path(address.path), key, mode)]
    return _bind_tcp(address, key)


def release(sockets: list[socket.socket]) -> None:
    """Close sockets that won't be served after all, and remove their files."""
    for sock in sockets:
        remove_file(sock)
        sock.close()


def remove_file(sock: socket.socket) -> None:
    """Remove the file of a Unix socket, unless another one has taken its place."""
    if sock.family != getattr(socket, "AF_UNIX", None):
        return
    with contextlib.suppress(OSError):
        Path(sock.getsockname()).unlink()


def _bind_tcp(address: Address, key: str) -> list[socket.socket]:
    bound: list[socket.socket] = []
    try:
        for family, kind, protocol, _, where in resolve(address, key):
            sock = socket.socket(family, kind, protocol)
            bound.append(sock)
            if os.name == "posix":
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
            sock.bind(where)
            sock.listen(1)  # a port in use shows here when its owner also set SO_REUSEADDR
            sock.setblocking(False)
    except OSError as error:
        for sock in bound:
            sock.close()
        raise StartError(
            f"{key}: can't listen on {address}: {_tcp_reason(error, address)}"
        ) from None
    return bound


def resolve(
    address: Address, key: str
) -> list[tuple[socket.AddressFamily, socket.SocketKind, int, str, tuple[Any, ...]]]:
    """What ``address`` stands for, as ``getaddrinfo`` gives it.

    Raises:
        StartError: nobody here knows its name.
    """
    try:
        found = socket.getaddrinfo(
            address.host, address.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )
    except socket.gaierror:
        raise StartError(
            f"{key}: can't listen on {address}: this machine knows no address named "
            f"{address.host}; write an IP address"
        ) from None
    return list(dict.fromkeys(found))


def _tcp_reason(error: OSError, address: Address) -> str:
    if error.errno == errno.EADDRINUSE:
        return "the port is in use; stop the program that has it or choose another port"
    if error.errno in {errno.EACCES, errno.EPERM}:
        if address.port < UNPRIVILEGED:
            return "no permission for a port below 1024; choose a higher one"
        return "no permission; choose another port"
    if error.errno == errno.EADDRNOTAVAIL:
        return "this machine has no such address; use 127.0.0.1 or one of its own"
    return f"{error.strerror}; choose another address"


def _bind_unix(path: Path, key: str, mode: int) -> socket.socket:
    _clear_stale(path, key)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o777 & ~mode)
    try:
        sock.bind(str(path))
        sock.listen(1)  # from now on another process can tell that it is in use
    except OSError as error:
        sock.close()
        raise StartError(
            f"{key}: can't listen on unix:{path}: {_unix_reason(error, path)}"
        ) from None
    finally:
        os.umask(before)
    sock.setblocking(False)
    return sock


def _unix_reason(error: OSError, path: Path) -> str:
    if error.errno == errno.ENOENT:
        return f"the directory {path.parent} does not exist; create it"
    if error.errno is None:  # CPython's own check: the path does not fit into sun_path
        return "the path is too long for a Unix socket; use a shorter one"
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return f"no permission to write to {path.parent}; choose another directory"
    return f"{error.strerror}; choose another path"


def _clear_stale(path: Path, key: str) -> None:
    """Remove what a process that died left behind; refuse anything else that is in the way."""
    try:
        found = path.lstat()
    except OSError:
        return  # nothing there, or bind tells why it can't be reached
    where = f"{key}: can't listen on unix:{path}"
    if not stat.S_ISSOCK(found.st_mode):
        raise StartError(f"{where}: something that is no socket is there; remove it")
    if found.st_uid != os.geteuid():
        raise StartError(f"{where}: a socket of another user is there; choose another path")
    if _answers(path):
        raise StartError(f"{where}: another process serves it; stop that or choose another path")
    path.unlink(missing_ok=True)


def _answers(path: Path) -> bool:
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
        probe.settimeout(1.0)
        try:
            probe.connect(str(path))
        except (ConnectionRefusedError, FileNotFoundError):
            return False
        except OSError:
            return True  # a full queue or a timeout: somebody is there
        return True
