"""Listening sockets that a service manager opened for us, as sd_listen_fds(3) hands them over.

Decides which are for whom by the address, else by the name; opens and serves none itself.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping, MutableMapping, Sequence
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from typing import Final, TypeVar

from proxy.errors import StartError
from proxy.plane.settings import Address
from proxy.runtime.sockets import resolve

FIRST: Final = 3
"""The first inherited descriptor; the others follow without a gap."""
MOST: Final = 1024
VARIABLES: Final = ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES", "LISTEN_PIDFDID")
NAMED: Final = frozenset({"listen", "admin", "metrics", "routes"})
"""Names (FileDescriptorName=) that say which key of the configuration a socket is for."""

P = TypeVar("P")


@dataclass(frozen=True, slots=True, eq=False)
class Inherited:
    """One of them.

    Attributes:
        name: as the service manager calls it; may be empty.
    """

    name: str
    sock: socket.socket

    def __str__(self) -> str:
        said = _address(self.sock)
        return f"{said} ({self.name})" if self.name else said


def take_inherited(environ: MutableMapping[str, str], pid: int) -> tuple[Inherited, ...]:
    """The sockets that are for the process ``pid``, once: children will know nothing of them.

    Raises:
        StartError: the variables make no sense, or one is no listening stream socket.
    """
    said = {name: environ.pop(name, "") for name in VARIABLES}
    if said["LISTEN_PID"] != str(pid):
        return ()
    if not said["LISTEN_FDS"].isdecimal() or int(said["LISTEN_FDS"]) > MOST:
        raise StartError(f"LISTEN_FDS is {said['LISTEN_FDS']!r} and no number of sockets")
    names = said["LISTEN_FDNAMES"].split(":")
    count = int(said["LISTEN_FDS"])
    names += [""] * (count - len(names))
    return tuple(_taken(FIRST + at, names[at]) for at in range(count))


def assigned(
    inherited: Sequence[Inherited], wanted: Mapping[P, tuple[str, Address]]
) -> dict[P, list[Inherited]]:
    """Which sockets are for which of ``wanted``: a key of the configuration and an address each.

    One that is bound to the address is for it. One that is named like the key is for the only
    address of that key which has none, if it can be reached from no further away.
    """
    found: dict[P, list[Inherited]] = {}
    for place, (_, address) in wanted.items():
        if bound := [one for one in inherited if _is_bound_to(one.sock, address)]:
            found[place] = bound
    used = [one for several in found.values() for one in several]
    for one in inherited:
        if one in used or one.name not in NAMED:
            continue
        without = [p for p, (key, _) in wanted.items() if key == one.name and p not in found]
        if len(without) == 1 and _may_stand_for(one.sock, wanted[without[0]][1]):
            found[without[0]] = [one]
    return found


def _taken(descriptor: int, name: str) -> Inherited:
    try:
        os.set_inheritable(descriptor, False)
        sock = socket.socket(fileno=descriptor)
    except OSError:
        raise _unfit(descriptor, name) from None
    if sock.type != socket.SOCK_STREAM or not _listens(sock):
        raise _unfit(descriptor, name)
    sock.setblocking(False)
    return Inherited(name, sock)


def _listens(sock: socket.socket) -> bool:
    return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))


def _unfit(descriptor: int, name: str) -> StartError:
    return StartError(
        f"the service manager's descriptor {descriptor} ({name or 'without a name'}) is no"
        " listening stream socket: the .socket unit needs ListenStream= and Accept=no"
    )


def _is_bound_to(sock: socket.socket, address: Address) -> bool:
    if sock.family == socket.AF_UNIX or address.path:
        return _path(sock) == _real(address.path) and bool(address.path)
    host, port = sock.getsockname()[:2]
    if port != address.port:
        return False
    if address.host == "0.0.0.0" and host == "::":  # noqa: S104 - compared with, never bound
        return not sock.getsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY)
    return host in {where[0] for *_, where in resolve(address, "listen")}


def _may_stand_for(sock: socket.socket, address: Address) -> bool:
    """Host fields are judged by the configured port, and loopback must stay loopback."""
    if sock.family == socket.AF_UNIX or address.path:
        return bool(address.path) and sock.family == socket.AF_UNIX
    host, port = sock.getsockname()[:2]
    return port == address.port and (ip_address(host).is_loopback or not _is_loopback(address))


def _is_loopback(address: Address) -> bool:
    return all(ip_address(where[0]).is_loopback for *_, where in resolve(address, "listen"))


def _path(sock: socket.socket) -> str:
    if sock.family != socket.AF_UNIX:
        return ""
    path = sock.getsockname()
    return _real(path) if isinstance(path, str) else ""


def _real(path: str) -> str:
    """With links on the way to it resolved, as /var/run is one to /run."""
    at = Path(path)
    return str(at.parent.resolve() / at.name) if path else ""


def _address(sock: socket.socket) -> str:
    if sock.family == socket.AF_UNIX:
        path = sock.getsockname()
        return (
            f"unix:{path}"
            if isinstance(path, str)
            else f"unix:@{path[1:].decode(errors='replace')}"
        )
    return str(Address(*sock.getsockname()[:2]))
