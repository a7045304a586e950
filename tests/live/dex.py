"""One Dex on a free loopback port: which connectors, clients and pages it has, and how it starts.

Its storage is its memory: every start is a new Dex, with the same people. What it answers is
documented at https://dexidp.io/docs.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from tests.live.processes import serving
from tests.live.tenants import MARY
from tests.support.certificates import Pair
from tests.support.process import free_port

HASH = "$2b$10$cTElZDmlEOrA1cPw1wZ.dulmms8GCYYm4bgpkQhKXzPGDhpyjUJGK"
"""bcrypt of ``tenants.MARYS_PASSWORD``: Dex takes no other kind."""

LOCAL = "local"
"""The id of Dex's own password database among the connectors."""

CALLBACK = {"type": "mockCallback", "id": "mock", "name": "Somebody"}
"""A connector that asks nothing and is always the same person, kilgore@kilgore.trout."""


def password_connector(username: str, password: str, name: str = "other") -> dict[str, Any]:
    """A connector of its own with a form like the database's and one user."""
    config = {"username": username, "password": password}
    return {"type": "mockPassword", "id": name, "name": name.title(), "config": config}


@dataclass(frozen=True, slots=True)
class Client:
    """One of Dex's static clients; without a secret a public one."""

    id: str
    redirects: tuple[str, ...] = ()
    secret: str | None = None

    def told(self) -> dict[str, Any]:
        """As Dex's file has it."""
        kind: dict[str, Any] = {"public": True} if self.secret is None else {"secret": self.secret}
        return {"id": self.id, "name": self.id, "redirectURIs": [*self.redirects]} | kind


@dataclass(frozen=True, slots=True)
class DexSetup:
    """What one Dex is like.

    Attributes:
        connectors: beside the password database, which has ``tenants.MARY``.
        database: whether there is one.
        approval: whether a page asks for consent after the sign-in.
        lifetime: seconds that ID tokens, which are also its access tokens, live.
        shown: its certificate, where it speaks TLS.
        more: further top-level keys of its file.
    """

    clients: tuple[Client, ...] = ()
    connectors: tuple[Mapping[str, Any], ...] = ()
    database: bool = True
    approval: bool = False
    lifetime: float = 600
    shown: Pair | None = None
    more: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Dex:
    """A running Dex. ``issuer`` is where it is."""

    issuer: str
    port: int


@contextlib.asynccontextmanager
async def dex(setup: DexSetup, work: Path, port: int | None = None) -> AsyncIterator[Dex]:
    """A Dex that runs until the block ends; its log is ``work/dex-PORT.log``."""
    port = port or free_port()
    scheme, host = ("http", "127.0.0.1") if setup.shown is None else ("https", "localhost")
    issuer = f"{scheme}://{host}:{port}/dex"
    file = work / f"dex-{port}.yaml"
    file.write_text(yaml.safe_dump(configuration(setup, issuer, port)))
    program = os.environ["DEX_HOME"] + "/dex"
    async with serving(program, "serve", str(file), port=port, log=work / f"dex-{port}.log"):
        yield Dex(issuer, port)


def configuration(setup: DexSetup, issuer: str, port: int) -> dict[str, Any]:
    """Dex's whole file."""
    person = {"email": MARY, "username": "mary", "userID": "1", "hash": HASH}
    whole: dict[str, Any] = {
        "issuer": issuer,
        "storage": {"type": "memory"},
        "web": listener(setup.shown, port),
        "frontend": {"dir": os.environ["DEX_HOME"] + "/web"},
        "oauth2": {"skipApprovalScreen": not setup.approval},
        "expiry": {"idTokens": f"{setup.lifetime:g}s", "signingKeys": "6h"},
        "staticClients": [client.told() for client in setup.clients],
        "connectors": [dict(connector) for connector in setup.connectors],
        "enablePasswordDB": setup.database,
        "staticPasswords": [person] if setup.database else [],
    }
    if setup.database:
        whole["oauth2"]["passwordConnector"] = LOCAL
    return whole | dict(setup.more)


def listener(shown: Pair | None, port: int) -> dict[str, Any]:
    """Where it listens, and with which certificate."""
    if shown is None:
        return {"http": f"127.0.0.1:{port}"}
    certificate = {"tlsCert": str(shown.cert_file), "tlsKey": str(shown.key_file)}
    return {"https": f"127.0.0.1:{port}"} | certificate
