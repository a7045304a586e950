"""One conversation with Vault: where it goes, what goes along, how far a redirect is followed.

A standby that can't pass a request on names the active node (HTTP API, high availability): that
is followed once, never from https to http.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final, Protocol
from urllib.parse import quote, urljoin, urlsplit

from proxy.config.model import Vault
from proxy.errors import SecretUnavailableError, TokenRequestError
from proxy.message import Answer, Request, is_loopback, origin
from proxy.secret import Secret

_REDIRECTS: Final = frozenset({307, 308})


class Sender(Protocol):
    """What carries requests; ``net.carrier.Carrier`` is one."""

    async def send(self, request: Request) -> Answer:
        """Send once; TokenRequestError where no whole answer came."""


class Talk:
    """Requests to one Vault.

    Args:
        vault: where it is.
        sender: carries them; it knows whom to trust and how long to wait.
    """

    def __init__(self, vault: Vault, sender: Sender) -> None:
        self._vault = vault
        self._sender = sender

    async def get(self, path: str, token: Secret | None) -> Answer:
        """Read ``path``, below ``/v1/``.

        Raises:
            SecretUnavailableError: no answer came.
        """
        return await self._send("GET", path, token, b"")

    async def post(self, path: str, token: Secret | None, content: Mapping[str, str]) -> Answer:
        """Write ``content`` to ``path``, below ``/v1/``; raises as ``get`` does."""
        return await self._send("POST", path, token, json.dumps(content).encode())

    async def _send(self, method: str, path: str, token: Secret | None, body: bytes) -> Answer:
        url = f"{self._vault.address}/v1/{quote(path)}"
        headers = {"X-Vault-Request": "true"}
        if token is not None:
            headers["X-Vault-Token"] = token.reveal()
        if self._vault.namespace is not None:
            headers["X-Vault-Namespace"] = self._vault.namespace
        if body:
            headers["Content-Type"] = "application/json"
        answer = await self._once(Request(method, url, headers, body))
        if answer.status not in _REDIRECTS:
            return answer
        return await self._once(Request(method, self._active(url, answer), headers, body))

    async def _once(self, request: Request) -> Answer:
        try:
            return await self._sender.send(request)
        except TokenRequestError as error:
            told = str(error).removesuffix("; is this the provider?")
            raise SecretUnavailableError(f"Vault: {told}") from None

    def _active(self, url: str, answer: Answer) -> str:
        """Where the active node is."""
        found = urljoin(url, answer.headers.get("location", ""))
        there, here = urlsplit(found), urlsplit(url)
        plain = self._vault.allow_insecure or is_loopback(there.hostname or "")
        if there.scheme == "https" or (there.scheme == here.scheme == "http" and plain):
            return found
        raise SecretUnavailableError(
            f"Vault at {origin(url)} leads to {origin(found)} without encryption, which is not"
            " followed; set its api_addr to an https address"
        )
