"""The key pairs of clients, and the assertions that tests sign themselves."""

from __future__ import annotations

import contextlib
import json
import time
import uuid
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from aiohttp import web
from aiohttp.test_utils import TestServer
from joserfc import jwt
from joserfc.jwk import ECKey

ASSERTION_TYPE = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"


def new_key(name: str) -> ECKey:
    """A key for ES256, known as ``name``."""
    return ECKey.generate_key("P-256", {"kid": name, "use": "sig", "alg": "ES256"})


def public(*keys: ECKey) -> dict[str, Any]:
    """The JWKS that shows them."""
    return {"keys": [key.as_dict(private=False) for key in keys]}


@contextlib.asynccontextmanager
async def published(*keys: ECKey) -> AsyncIterator[str]:
    """The URL at which their JWKS is, until the block ends."""

    async def tell(_request: web.Request) -> web.Response:
        return web.json_response(public(*keys))

    application = web.Application()
    application.router.add_get("/keys", tell)
    async with TestServer(application, host="127.0.0.1") as server:
        yield str(server.make_url("/keys"))


def write_private(key: ECKey, file: Path) -> None:
    """As a JWK, in one step: whoever reads meanwhile has the old one or the new one."""
    place(json.dumps(key.as_dict(private=True)), file)


def place(text: str, file: Path) -> None:
    """Put a secret into a file in one step."""
    beside = file.with_name(f".{file.name}")
    beside.write_text(text)
    beside.chmod(0o600)
    beside.replace(file)


def assertion(key: ECKey, *, lifetime: float = 50, **claims: object) -> str:
    """A signed JWT that lives so many seconds; ``claims``: iss, sub, aud."""
    now = int(time.time())
    fixed = {"iat": now, "exp": now + int(lifetime), "jti": str(uuid.uuid4())}
    header = {"alg": "ES256", "kid": str(key.kid)}
    return jwt.encode(header, claims | fixed, key, algorithms=["ES256"])
