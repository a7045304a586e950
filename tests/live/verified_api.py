"""An API that believes nobody: signature, issuer and ``exp`` of every token, without any leeway.

Each path's first segment is a visitor of its own, with the issuers it may have tokens from, and a
ledger of what came.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

ALGORITHMS = ["RS256", "ES256", "PS256"]


@dataclass(slots=True)
class Ledger:
    """What one visitor's requests were.

    Attributes:
        issuer: whose tokens are good.
        audience: who must be among those the token is for, if it matters.
        tokens: the distinct ones that were good, in the order in which they came.
        refused: why others were not.
    """

    issuer: str
    audience: str | None = None
    answers: Counter[int] = field(default_factory=Counter)
    tokens: dict[str, dict[str, Any]] = field(default_factory=dict)
    refused: Counter[str] = field(default_factory=Counter)


class VerifiedApi:
    """Answers 200 to good tokens and 401 to all others; ``url`` once it serves."""

    def __init__(self, http: aiohttp.ClientSession) -> None:
        self._http = http
        self._keys: dict[str, KeySet] = {}
        self._ledgers: dict[str, Ledger] = {}
        self.url = ""

    async def expect(self, visitor: str, ledger: Ledger, keys: str) -> None:
        """Let in who comes by ``/visitor/`` with the issuer's token; ``keys``: its JWKS's URL."""
        if ledger.issuer not in self._keys:
            async with self._http.get(keys) as answer:
                self._keys[ledger.issuer] = KeySet.import_key_set(signing(await answer.json()))
        self._ledgers[visitor] = ledger

    async def serve(self, request: web.Request) -> web.Response:
        """Judge a request by its ``Authorization`` alone."""
        ledger = self._ledgers[request.match_info["visitor"]]
        await request.read()
        try:
            self._judge(request.headers.getall("Authorization", []), ledger)
        except (JoseError, ValueError) as error:
            ledger.refused[f"{type(error).__name__}: {error}"] += 1
            ledger.answers[401] += 1
            return web.Response(status=401)
        ledger.answers[200] += 1
        return web.Response(text="welcome")

    def _judge(self, fields: list[str], ledger: Ledger) -> None:
        now = time.time()
        if len(fields) != 1 or not fields[0].startswith("Bearer "):
            raise ValueError("not exactly one bearer token")
        token = fields[0].removeprefix("Bearer ")
        claims = (
            ledger.tokens.get(token)
            or jwt.decode(token, self._keys[ledger.issuer], algorithms=ALGORITHMS).claims
        )
        if claims["exp"] <= now:
            raise ValueError(f"expired {now - claims['exp']:.3f} s ago")
        if claims["iss"] != ledger.issuer:
            raise ValueError(f"issued by {claims['iss']}")
        if ledger.audience and ledger.audience not in [claims["aud"], *claims["aud"]]:
            raise ValueError(f"for {claims['aud']}")
        ledger.tokens[token] = claims


def signing(keys: dict[str, Any]) -> dict[str, Any]:
    """Without the keys that are for encryption: Keycloak shows those beside."""
    return {"keys": [key for key in keys["keys"] if key.get("use") == "sig"]}


@contextlib.asynccontextmanager
async def verified_api(http: aiohttp.ClientSession) -> AsyncIterator[VerifiedApi]:
    """One on a free port, until the block ends."""
    api = VerifiedApi(http)
    application = web.Application()
    application.router.add_route("*", "/{visitor}/{rest:.*}", api.serve)
    async with TestServer(application, host="127.0.0.1") as server:
        api.url = str(server.make_url("")).rstrip("/")
        yield api
