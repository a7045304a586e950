"""What the vendors' SDKs ask their platforms, answered as those do, to real tokens only.

Signature, issuer and ``exp`` of every token are judged without leeway; what came is written down.
"""

from __future__ import annotations

import contextlib
import time
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet


@dataclass(slots=True)
class VendorsApi:
    """The platforms, on one port.

    Attributes:
        issuer: whose tokens are good.
        answers: how often which path was answered how.
        refused: why requests were.
        tokens: the good tokens that came.
        heads: every request's fields, for canaries.
    """

    issuer: str
    keys: KeySet
    url: str = ""
    answers: Counter[tuple[str, int]] = field(default_factory=Counter)
    refused: list[str] = field(default_factory=list)
    tokens: set[str] = field(default_factory=set)
    heads: list[str] = field(default_factory=list)

    async def serve(self, request: web.Request) -> web.Response:
        """Judge a request, and answer as the platform behind its path does."""
        self.heads.append(str(request.raw_headers) + (await request.text()))
        try:
            answer = self._answer(request)
        except (JoseError, ValueError) as error:
            self.refused.append(f"{request.path}: {type(error).__name__}: {error}")
            answer = web.Response(status=401)
        self.answers[request.path, answer.status] += 1
        return answer

    def _answer(self, request: web.Request) -> web.Response:
        if request.path == "/v1/api/config":  # Wallaroo's client asks this without a token
            return web.json_response({"isOpen": True})
        known = _platforms(self._person(request))
        if (request.method, request.path) not in known:
            return web.json_response({"unknown": request.path}, status=404)
        return web.json_response(known[request.method, request.path])

    def _person(self, request: web.Request) -> dict[str, Any]:
        """Whose request this is: the token's user, or whom oauth2-proxy saw sign in."""
        seen = request.headers.getall("X-Forwarded-Email", [])
        if len(seen) == 1:
            return {"sub": seen[0], "email": seen[0]}
        fields = request.headers.getall("Authorization", [])
        if len(fields) != 1 or not fields[0].startswith("Bearer "):
            raise ValueError(f"not exactly one bearer token, but {len(fields)}")
        token = fields[0].removeprefix("Bearer ")
        claims = jwt.decode(token, self.keys, algorithms=["RS256"]).claims
        if claims["iss"] != self.issuer or claims["exp"] <= time.time():
            raise ValueError("another issuer's, or expired")
        self.tokens.add(token)
        return dict(claims)


def _platforms(person: dict[str, Any]) -> dict[tuple[str, str], dict[str, Any]]:
    """What each platform knows of this person."""
    sub, email = person["sub"], person["email"]
    workspace = {"id": 1, "name": email, "created_at": "2026-01-01", "created_by": sub}
    workspace |= {"archived": False, "models": [], "pipelines": []}
    said = {"role": "assistant", "content": email}
    return {
        ("POST", "/v1/api/workspaces/list"): {"workspaces": [workspace]},
        ("GET", "/api/v1/org-unit/projects"): {"projects": [{"name": email}]},
        ("GET", "/seldon-deploy/api/v1alpha1/namespaces/staging/seldondeployments"): {
            "items": [{"metadata": {"name": email}}]
        },
        ("POST", "/v1/chat/completions"): {
            "id": "1",
            "object": "chat.completion",
            "created": 1,
            "model": "m",
            "choices": [{"index": 0, "finish_reason": "stop", "message": said}],
        },
    }


@contextlib.asynccontextmanager
async def vendors_api(issuer: str, keys: KeySet) -> AsyncIterator[VendorsApi]:
    """One on a free port, until the block ends."""
    api = VendorsApi(issuer, keys)
    application = web.Application()
    application.router.add_route("*", "/{rest:.*}", api.serve)
    async with TestServer(application, host="127.0.0.1") as server:
        api.url = str(server.make_url("")).rstrip("/")
        yield api
