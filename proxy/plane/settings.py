"""What the data plane is told: frozen values, built once from the configuration, swapped whole.

The plane knows neither the file nor its syntax; the composition root translates.
"""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass, field

from proxy.plane.local import LocalAnswers
from proxy.secret import Secret


@dataclass(frozen=True, slots=True)
class Address:
    """Where a listener is: a TCP host and port, or the path of a Unix socket."""

    host: str = ""
    port: int = 0
    path: str = ""

    def __str__(self) -> str:
        if self.path:
            return f"unix:{self.path}"
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Proxy:
    """An egress proxy, spoken to in plain http.

    Attributes:
        host: without brackets.
        authorization: what ``Proxy-Authorization`` says, where it wants to know who asks.
    """

    host: str
    port: int
    authorization: Secret | None = None

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Upstream:
    """An origin server and how to reach it; equal values share one connection pool.

    Attributes:
        host: as it stands in the URL, without brackets.
        authority: what ``Host`` says, e.g. ``api.example.com`` or ``localhost:8443``.
        tls: an identity for the TLS settings (files, verify), None for plain http. Two upstreams
            with the same files share one context and so one pool.
        connect_timeout: seconds until it stands: look-up, egress proxy and TLS included.
        proxy: the egress proxy on the way, or None.
    """

    host: str
    port: int
    authority: str
    tls: ssl.SSLContext | None = None
    connect_timeout: float = 10.0
    proxy: Proxy | None = None


@dataclass(frozen=True, slots=True)
class Route:
    """One row of the route table (config.md, routes).

    Attributes:
        path: begins and ends with ``/``.
        host: the Host this route is for, lower case, or None for any.
        listener: the listener this route alone answers on, or None for the main ones.
        upstream_path: what replaces ``path``; begins with ``/``.
        credential: a credential's name, or None for ``credential: none``.
        session: the credential is a session: it goes out as ``Cookie``, whatever ``header`` says.
        header: the field that is injected, as it goes out, e.g. ``Authorization``.
        scheme: what stands before the token, e.g. ``Bearer``; empty for the bare token.
        clients: names of the clients it serves; None for all.
        cookies: the client's own cookies pass, behind a session's where there is one.
        head_timeout, idle_timeout: seconds.
        max_body, replay_body: bytes.
        local: what is answered here instead of by the upstream, or None.
    """

    path: str
    upstream: Upstream
    upstream_path: str
    credential: str | None
    host: str | None = None
    listener: Address | None = None
    header: str = "Authorization"
    scheme: str = "Bearer"
    clients: frozenset[str] | None = None
    session: bool = False
    cookies: bool = False
    rewrite_location: bool = False
    head_timeout: float = 300.0
    idle_timeout: float = 300.0
    max_body: int = 10 << 30
    replay_body: int = 1 << 20
    local: LocalAnswers | None = None

    @property
    def label(self) -> str:
        """What logs and metrics call it: the listener or host, where it has one, and the path."""
        return f"{self.listener or self.host or ''}{self.path}"


@dataclass(frozen=True, slots=True)
class Limits:
    """config.md, limits: bytes, counts and seconds."""

    target: int = 8 << 10
    head: int = 64 << 10
    fields: int = 100
    head_time: float = 10.0
    body_idle: float = 30.0
    connections: int = 10_000
    in_flight: int = 2_000
    replay_budget: int = 16 << 20


@dataclass(frozen=True, slots=True)
class PlaneSettings:
    """Everything the data plane needs besides the credentials themselves.

    Attributes:
        listeners: the main listeners (routes may bring further ones of their own).
        tls: the certificates of those that speak TLS.
        hosts: further Host values that are accepted.
        origins: Origins that may call.
        clients: name → key; empty where anybody on this machine may call.
        peer_uids: uids besides our own that may connect to a Unix socket.
        hold: seconds a request may wait for a token.
    """

    listeners: tuple[Address, ...]
    routes: tuple[Route, ...]
    tls: Mapping[Address, ssl.SSLContext] = field(default_factory=dict)
    hosts: frozenset[str] = frozenset()
    origins: frozenset[str] = frozenset()
    clients: Mapping[str, Secret] = field(default_factory=dict)
    peer_uids: frozenset[int] = frozenset()
    limits: Limits = field(default_factory=Limits)
    hold: float = 10.0
