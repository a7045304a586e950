"""What the vendors' recipes stand on: a gate to Keycloak per tenant, Envoy, the strict API."""

from __future__ import annotations

import asyncio
import itertools
import sys
from asyncio.subprocess import Process
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import aiohttp

from tests.live.admin import Administrator
from tests.live.envoy import Envoy, Trust
from tests.live.gate import Gate
from tests.live.keycloak import Keycloak
from tests.live.ports import accepts
from tests.live.recipes import configuration
from tests.live.sidecar import Installation, install
from tests.live.tenants import MARYS_PASSWORD, Tenant
from tests.support.process import free_ports, until


class Lab:
    """The servers of one run. ``gates`` has one way to Keycloak per tenant, by its name."""

    def __init__(self, keycloak: Keycloak, work: Path, http: aiohttp.ClientSession) -> None:
        self.http = http
        self._work = work
        self._numbers = itertools.count(1)
        envoy, envoy_admin, self._api_port, ledger = free_ports(4)
        self.keycloak = keycloak
        self.administrator = Administrator(self.keycloak, http)
        self.envoy = Envoy(work, envoy, envoy_admin)
        self.gates: dict[str, Gate] = {}
        self.api = f"http://127.0.0.1:{envoy}"
        self.strict_api = f"http://127.0.0.1:{self._api_port}"
        self._ledger = f"http://127.0.0.1:{ledger}"
        self._upstream: Process | None = None

    async def start(self, tenants: Iterable[Tenant]) -> None:
        """Bring up all of it and make the tenants known at Keycloak, which runs already."""
        tenants = tuple(tenants)
        await self._start_upstream()
        await self._enrol(tenants)
        for tenant, port in zip(tenants, free_ports(len(tenants)), strict=True):
            self.gates[tenant.name] = Gate(port, self.keycloak.port)
            await self.gates[tenant.name].start()
        trusts = [self._trust(tenant) for tenant in tenants]
        await self.envoy.start(trusts, self._api_port, self.keycloak.port)

    async def stop(self) -> None:
        """End everything that was started here."""
        for gate in self.gates.values():
            await gate.close()
        await self.envoy.stop()
        if self._upstream is not None:
            self._upstream.kill()
            await self._upstream.wait()

    async def _start_upstream(self) -> None:
        ports = (str(self._api_port), self._ledger.rpartition(":")[2])
        self._upstream = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "tests.live.upstream", *ports),
            cwd=Path(__file__).parents[2],
        )
        await until(lambda: accepts(int(ports[1])), deadline=20, what="the strict API's start")

    async def _enrol(self, tenants: tuple[Tenant, ...]) -> None:
        for realm in dict.fromkeys(tenant.realm for tenant in tenants):
            await self.administrator.realm(realm)
        clients = {(tenant.realm, tenant.client): tenant for tenant in tenants}
        for (realm, client), tenant in clients.items():
            await self.administrator.client(realm, client, tenant.secret, tenant.lifetime)
        for realm, user in {(tenant.realm, tenant.user) for tenant in tenants if tenant.user}:
            await self.administrator.user(realm, str(user), MARYS_PASSWORD)

    def _trust(self, tenant: Tenant) -> Trust:
        """The issuer is where the tenant came in; the keys are had without its gate."""
        issuer = f"{self.gates[tenant.name].base}/realms/{tenant.realm}"
        keys = f"{self.keycloak.base}/realms/{tenant.realm}/protocol/openid-connect/certs"
        return Trust(tenant.name, issuer, keys, tenant.audience)

    def install(self, tenant: Tenant, **top: object) -> Installation:
        """A sidecar ready to start on the tenant's recipe; ``top``: further top-level keys."""
        home = self._work / f"{tenant.name}-{next(self._numbers)}"
        keycloak = self.gates[tenant.name].base
        whole = configuration(tenant, keycloak, self.api)
        installation = install(home, whole | top, tenant.environ)
        for name, text in tenant.contents(keycloak).items():
            (home / name).write_text(text)
            (home / name).chmod(0o600)
        return installation

    async def ledger(self, tenant: Tenant) -> dict[str, Any]:
        """What the strict API wrote down about a tenant."""
        async with self.http.get(f"{self._ledger}/{tenant.name}") as answer:
            return dict(await answer.json())

    async def revoke(self, tenant: Tenant) -> None:
        """Every token that the tenant has shown becomes worthless at the API."""
        async with self.http.post(f"{self._ledger}/{tenant.name}/revoke") as answer:
            assert answer.ok

    async def token(self, tenant: Tenant) -> str:
        """A token as a script would get it, without the sidecar."""
        form = {"grant_type": "client_credentials", "client_id": tenant.client}
        url = tenant.overrides(self.gates[tenant.name].base)["token_url"]
        async with self.http.post(url, data=form | {"client_secret": tenant.secret}) as answer:
            return str((await answer.json())["access_token"])
