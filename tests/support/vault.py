"""A Vault as its HTTP API's documentation describes it, scripted by the test.

Written from the pages on /auth/token, /auth/kubernetes, /auth/approle, /secret/kv (1 and 2),
/sys/internal/ui/mounts, namespaces, high availability and errors; no Vault was at hand.
"""

from __future__ import annotations

import asyncio
import itertools
import ssl
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Self

from aiohttp import web
from aiohttp.test_utils import TestServer

ROOT = "hvs.root"
FORBIDDEN = {"errors": ["1 error occurred:\n\t* permission denied\n\n"]}
INVALID = {"errors": ["2 errors occurred:\n\t* permission denied\n\t* invalid token\n\n"]}


@dataclass(slots=True)
class Lease:
    """A token's life: ``ttl`` 0 is for ever; ``most`` is the greatest age it can be renewed to."""

    ttl: float = 0.0
    renewable: bool = False
    most: float = 1e9
    born: float = 0.0
    ends: float = float("inf")


@dataclass(slots=True)
class Vault:
    """One node; attributes may be changed while it runs.

    Attributes:
        now: where its time comes from.
        mounts: engines by path, each with its type and options.
        secrets: API path → fields (first version), or what a second version's answer has as data.
        tokens: those that are valid, with their lives.
        policy: whether a token may read an API path.
        sealed, leaderless, delay: what is wrong with it.
        active: where a standby sends clients instead of forwarding.
        ttl, most: of tokens that logins give.
        jwts, roles: who may log in: (role, jwt), (role_id, secret_id).
        namespace: the one that everything is in.
        asked: method and path of every request, in order.
    """

    now: Callable[[], float] = time.monotonic
    mounts: dict[str, dict[str, Any]] = field(default_factory=dict)
    secrets: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    tokens: dict[str, Lease] = field(default_factory=lambda: {ROOT: Lease()})
    policy: Callable[[str, str], bool] = lambda _token, _path: True
    sealed: bool = False
    leaderless: bool = False
    delay: float = 0.0
    active: str | None = None
    hidden: bool = False
    ttl: float = 3600.0
    most: float = 1e9
    jwts: set[tuple[str, str]] = field(default_factory=set)
    roles: set[tuple[str, str]] = field(default_factory=set)
    namespace: str | None = None
    tls: ssl.SSLContext | None = None
    asked: list[str] = field(default_factory=list)
    url: str = ""
    _server: TestServer | None = None
    _numbers: Any = field(default_factory=itertools.count)

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_route("*", "/v1/{path:.*}", self._answer)
        self._server = TestServer(application, scheme="https" if self.tls else "http")
        await self._server.start_server(ssl=self.tls)
        self.url = str(self._server.make_url("")).rstrip("/")
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is not None:
            await self._server.close()

    def kv(self, path: str, version: int = 2) -> None:
        """Enable a KV engine."""
        options = {"version": str(version)} if version == 2 else None
        self.mounts[f"{path}/"] = {"type": "kv", "options": options}

    def put(self, path: str, **fields: Any) -> None:
        """Write a secret, as ``vault kv put`` does."""
        mount, name = self._mount(path)
        if self.mounts[mount]["options"] is None:
            self.secrets[path] = fields
            return
        meta = {"created_time": "2026-01-01T00:00:00Z", "deletion_time": "", "destroyed": False}
        self.secrets[f"{mount}data/{name}"] = {"data": fields, "metadata": {**meta, "version": 1}}

    def delete(self, path: str) -> None:
        """Delete the newest version, as ``vault kv delete`` does."""
        mount, name = self._mount(path)
        meta = {"deletion_time": "2026-01-02T00:00:00Z", "destroyed": False, "version": 1}
        self.secrets[f"{mount}data/{name}"] = {"data": None, "metadata": meta}

    def _mount(self, path: str) -> tuple[str, str]:
        mount = next(one for one in self.mounts if path.startswith(one))
        return mount, path.removeprefix(mount)

    def grant(self, ttl: float, *, renewable: bool = True, most: float = 1e9) -> str:
        """A new token."""
        token, now = f"hvs.{next(self._numbers)}", self.now()
        self.tokens[token] = Lease(ttl, renewable, most, now, now + ttl if ttl else float("inf"))
        return token

    def _lease(self, token: str) -> Lease | None:
        lease = self.tokens.get(token)
        return lease if lease is not None and self.now() < lease.ends else None

    async def _answer(self, request: web.Request) -> web.Response:
        path = request.match_info["path"]
        self.asked.append(f"{request.method} {path}")
        assert request.headers["X-Vault-Request"] == "true"
        await asyncio.sleep(self.delay)
        if self.active is not None:
            raise web.HTTPTemporaryRedirect(f"{self.active}{request.path}")
        if self.sealed:
            return told(503, {"errors": ["Vault is sealed"]})
        if self.leaderless:
            why = "local node not active but active cluster node not found"
            return told(500, {"errors": [why]})
        if request.headers.get("X-Vault-Namespace") != self.namespace:
            return told(404, {"errors": ["no handler for route"]})
        if path.startswith("auth/") and path.endswith("/login"):
            return self._login(path, await request.json())
        token = request.headers.get("X-Vault-Token", "")
        lease = self._lease(token)
        if lease is None:
            return told(403, INVALID)
        return self._authenticated(path, token, lease)

    def _login(self, path: str, sent: Mapping[str, str]) -> web.Response:
        if path == "auth/kubernetes/login":
            known = (sent["role"], sent["jwt"]) in self.jwts
        elif path == "auth/approle/login":
            known = (sent["role_id"], sent.get("secret_id", "")) in self.roles
        else:
            return told(404, {"errors": [f'no handler for route "{path}". route entry not found.']})
        if not known:
            # Vault repeats nothing that was sent; whoever stands before it might.
            return told(400, {"errors": [f"invalid role or secret ID {sorted(sent.values())}"]})
        token = self.grant(self.ttl, most=self.most)
        return told(200, self._auth(token, self.tokens[token]))

    def _auth(self, token: str, lease: Lease) -> dict[str, Any]:
        return {
            "auth": {
                "client_token": token,
                "accessor": "accessor",
                "policies": ["default"],
                "lease_duration": int(lease.ends - self.now()) if lease.ttl else 0,
                "renewable": lease.renewable,
            }
        }

    def _authenticated(self, path: str, token: str, lease: Lease) -> web.Response:
        if path == "auth/token/lookup-self":
            ttl = 0 if lease.ttl == 0 else int(lease.ends - self.now())
            return told(200, {"data": {"id": token, "ttl": ttl, "renewable": lease.renewable}})
        if path == "auth/token/renew-self":
            if not lease.renewable:
                return told(400, {"errors": ["lease is not renewable"]})
            lease.ends = min(self.now() + lease.ttl, lease.born + lease.most)
            return told(200, self._auth(token, lease))
        if path.startswith("sys/internal/ui/mounts/"):
            return self._mounted(path.removeprefix("sys/internal/ui/mounts/"))
        if not self.policy(token, path):
            return told(403, FORBIDDEN)
        found = self.secrets.get(path)
        if found is None:
            return told(404, {"errors": []})
        deleted = "metadata" in found and found["data"] is None
        return told(404 if deleted else 200, {"data": found, "lease_duration": 0, "auth": None})

    def _mounted(self, path: str) -> web.Response:
        mount = next((one for one in self.mounts if path.startswith(one)), None)
        if mount is None or self.hidden:
            why = f"preflight capability check returned 403, grant access to path {path!r}"
            return told(403, {"errors": [why]})
        return told(200, {"data": {"path": mount, **self.mounts[mount]}})


def told(status: int, content: Mapping[str, Any]) -> web.Response:
    return web.json_response(
        {"request_id": "f00341c1", **content} if status == 200 else content, status=status
    )
