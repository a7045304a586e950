"""Just enough HTTP to ask a sidecar on this machine one short question: RFC 9112, as HTTP/1.0.

The answer ends with the connection. Nothing here costs an import worth naming: commands and
credential helpers run every few seconds.
"""

from __future__ import annotations

import socket
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

PATIENCE: Final = 15.0
"""Seconds that the answer may take: longer than a sidecar holds a request by default."""
LARGEST: Final = 1 << 20
"""Bytes of an answer, unless more is expected."""

Place = Path | tuple[str, int]
"""Where the sidecar listens: a Unix socket, or a host without brackets and a port."""


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back; ``fields`` by name in lower case. The body may hold a token."""

    status: int
    fields: Mapping[str, str]
    body: bytes = field(repr=False)


def ask(
    place: Place,
    target: str,
    *,
    method: str = "GET",
    fields: Mapping[str, str] | None = None,
    body: bytes = b"",
    patience: float = PATIENCE,
    largest: int = LARGEST,
) -> Reply:
    """One request and its whole answer, of at most ``largest`` bytes.

    Raises:
        OSError: nobody answers there, or not with HTTP.
    """
    host = "localhost" if isinstance(place, Path) else f"localhost:{place[1]}"
    lines = [f"{method} {target} HTTP/1.0", f"Host: {host}"]
    lines += [f"{name}: {value}" for name, value in (fields or {}).items()]
    if body:
        lines += ["Content-Type: application/json", f"Content-Length: {len(body)}"]
    head = "\r\n".join([*lines, "", ""]).encode("latin-1")
    with _connected(place, patience) as connection:
        connection.sendall(head + body)
        return _read(connection, largest)


def _connected(place: Place, patience: float) -> socket.socket:
    if isinstance(place, tuple):
        return socket.create_connection(place, patience)
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        connection.settimeout(patience)
        connection.connect(str(place))
    except BaseException:
        connection.close()
        raise
    return connection


def _read(connection: socket.socket, largest: int) -> Reply:
    answer = bytearray()
    while len(answer) <= largest and (piece := connection.recv(65536)):
        answer += piece
    head, _, body = bytes(answer).partition(b"\r\n\r\n")
    first, *lines = head.decode("latin-1").split("\r\n")
    try:
        status = int(first.split(" ", 2)[1])
    except (IndexError, ValueError):
        raise ConnectionError("the answer is not HTTP") from None
    pairs = (line.partition(":") for line in lines)
    fields = {name.strip().lower(): value.strip() for name, _, value in pairs}
    if int(fields.get("content-length", len(body))) != len(body):
        raise ConnectionError("the answer broke off")
    return Reply(status, fields, body)
