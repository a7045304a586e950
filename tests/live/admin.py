"""What a Keycloak administrator does before anybody can log in, by the admin REST API."""

from __future__ import annotations

import time
from collections import Counter
from typing import Any

import aiohttp

from tests.live.keycloak import ADMINISTRATOR, PASSWORD, Keycloak

CLIENT = {
    "serviceAccountsEnabled": True,
    "directAccessGrantsEnabled": True,
    "standardFlowEnabled": False,
}
YOUNG = 20.0
"""Seconds for which an administrator's token is used again."""
EVENTS = [
    f"{kind}{outcome}"
    for kind in ("CLIENT_LOGIN", "LOGIN", "REFRESH_TOKEN")
    for outcome in ("", "_ERROR")
]
"""What is recorded. Refreshes are not by default: there are many."""


class Administrator:
    """Makes realms, clients and users, and reads the events that Keycloak recorded."""

    def __init__(self, keycloak: Keycloak, http: aiohttp.ClientSession) -> None:
        self._keycloak = keycloak
        self._http = http
        self._held = ""
        self._until = 0.0

    async def realm(self, name: str, **settings: object) -> None:
        """Make a realm that records its events; master is there already and only learns to.

        ``settings``: further members of Keycloak's RealmRepresentation.
        """
        events = {"eventsEnabled": True, "enabledEventTypes": EVENTS}
        if name == "master":
            await self._ask("PUT", "/master", events | settings)
        else:
            whole: dict[str, Any] = {"realm": name, "enabled": True, "sslRequired": "none"}
            await self._ask("POST", "", whole | events | settings)

    async def client(self, realm: str, name: str, secret: str, lifespan: int) -> None:
        """Make a confidential client whose tokens live ``lifespan`` seconds."""
        attributes = {"access.token.lifespan": str(lifespan)}
        await self.register(realm, {"clientId": name, "secret": secret, "attributes": attributes})

    async def register(self, realm: str, client: dict[str, Any]) -> None:
        """Make a client by Keycloak's ClientRepresentation, laid over ``CLIENT``."""
        await self._ask("POST", f"/{realm}/clients", CLIENT | client)

    async def change(self, realm: str, name: str, **attributes: str) -> None:
        """Give a client other attributes beside those it has."""
        found = await self._ask("GET", f"/{realm}/clients?clientId={name}", None)
        whole = found[0] | {"attributes": found[0]["attributes"] | attributes}
        await self._ask("PUT", f"/{realm}/clients/{whole['id']}", whole)

    async def rotate(self, realm: str, name: str, secret: str) -> None:
        """Give a client another secret."""
        found = await self._ask("GET", f"/{realm}/clients?clientId={name}", None)
        await self._ask("PUT", f"/{realm}/clients/{found[0]['id']}", found[0] | {"secret": secret})

    async def trust(self, realm: str, provider: dict[str, Any]) -> None:
        """Make another issuer known, by Keycloak's IdentityProviderRepresentation."""
        await self._ask("POST", f"/{realm}/identity-provider/instances", provider)

    async def user(self, realm: str, name: str, password: str, **settings: object) -> None:
        """Make a user who can log in by password at once: that takes an e-mail and both names.

        ``settings``: further members of Keycloak's UserRepresentation.
        """
        secret = {"type": "password", "value": password, "temporary": False}
        body: dict[str, Any] = {
            "username": name,
            "email": name,
            "emailVerified": True,
            "firstName": "Mary",
            "lastName": "Jane",
            "enabled": True,
            "credentials": [secret],
        }
        await self._ask("POST", f"/{realm}/users", body | settings)

    async def events(self, realm: str, client: str) -> Counter[str]:
        """How often Keycloak did what for this client: CLIENT_LOGIN, LOGIN, REFRESH_TOKEN, …"""
        found = await self._ask("GET", f"/{realm}/events?client={client}&max=10000", None)
        return Counter(str(event["type"]) for event in found)

    async def _ask(
        self, method: str, path: str, body: dict[str, Any] | None, *, again: bool = True
    ) -> Any:
        headers = {"Authorization": f"Bearer {await self._token()}"}
        url = f"{self._keycloak.base}/admin/realms{path}"
        async with self._http.request(method, url, json=body, headers=headers) as answer:
            text = await answer.text()
            if answer.status == 401 and again:  # it was started anew since
                self._until = 0.0
                return await self._ask(method, path, body, again=False)
            if not answer.ok:
                raise RuntimeError(f"{method} {path}: {answer.status} {text}")
            return await answer.json() if method == "GET" else None

    async def _token(self) -> str:
        """One that is young: they live 60 s and tests are longer, and each costs Keycloak dear."""
        if time.monotonic() < self._until:
            return self._held
        form = {"grant_type": "password", "client_id": "admin-cli"}
        form |= {"username": ADMINISTRATOR, "password": PASSWORD}
        url = f"{self._keycloak.base}/realms/master/protocol/openid-connect/token"
        began = time.monotonic()
        async with self._http.post(url, data=form) as answer:
            self._held = str((await answer.json())["access_token"])
        self._until = began + YOUNG
        return self._held
