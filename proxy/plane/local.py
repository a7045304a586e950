"""What is answered here instead of by the upstream, place by place of a route: the port for it.

Whoever answers decides alone, from the request's bytes, without I/O; the plane reads the request,
writes the answer and counts both. Nothing of such a request ever goes to the upstream.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Protocol

from proxy.http1.fields import Fields


@dataclass(frozen=True, slots=True)
class Asked:
    """A whole request that is answered here. It may hold a client's key, which does not show.

    Attributes:
        base: the route's own URL as the client knows it; ends with ``/``.
        parts: the path behind it, cut at its slashes, each segment decoded alone.
        query: with its ``?``, or empty.
        client: whose key came in a header, if one did.
        token: the credential of this moment, where the place wants it.
    """

    base: str
    parts: tuple[bytes, ...]
    query: bytes
    fields: Fields = field(repr=False)
    client: str | None = None
    body: bytes = field(default=b"", repr=False)
    token: bytes | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class Told:
    """The answer.

    Attributes:
        fields: further header fields, as they go out.
        client: whose key was in the body, for the log.
    """

    status: int
    content_type: str
    body: bytes = field(repr=False)
    fields: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    client: str | None = None
    close: bool = False

    def encode(self, _instance: str, *, close: bool, with_body: bool) -> bytes:
        """The whole response; to a HEAD it goes without its body. Nobody may keep it."""
        lines = [
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            "Cache-Control: no-store",
            "X-Content-Type-Options: nosniff",
            *(f"{name}: {value}" for name, value in self.fields),
        ]
        if close:
            lines.append("Connection: close")
        head = "\r\n".join(lines).encode("latin-1") + b"\r\n\r\n"
        return head + self.body if with_body else head


class Place(Protocol):
    """One thing that is answered here."""

    @property
    def wants_token(self) -> bool:
        """Whether the answer depends on the credential's token; then that is waited for."""

    def answer(self, asked: Asked) -> Told:
        """The answer; it never holds the token."""


class LocalAnswers(Protocol):
    """All that is answered here on one route."""

    def place(self, method: bytes, parts: Sequence[bytes]) -> Place | None:
        """What answers this method and path; None: the upstream does."""

    def client(self, fields: Fields) -> str | None:
        """The client for whose key a request carries something that was given out here.

        It holds for this moment only: such a thing ends.
        """

    def asked_by_nobody(self, method: bytes, parts: Sequence[bytes]) -> bool:
        """Whether a program asks this before it can show a key.

        Such a request goes to the upstream without the credential.
        """
