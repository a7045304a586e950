"""Token requests of the tests' own, with every way to show who the client is: what a credential
begins with (a first refresh token, a subject) has to come from somewhere.
"""

from __future__ import annotations

import hmac
import ssl
import time
import urllib.parse
import uuid
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256
from json import dumps
from typing import Any

import aiohttp
from joserfc.jwk import ECKey

from tests.live.matrix.cell import Cell
from tests.live.matrix.keys import ASSERTION_TYPE, assertion


@dataclass(frozen=True, slots=True)
class Asking:
    """Who the clients of one provider are.

    Attributes:
        issuer: whom assertions are for.
        url: the token endpoint; ``secure_url``: for clients that show a certificate.
        certified: shows it.
        key: signs for private_key_jwt.
        federated: the assertion of somebody else for the client of this name.
    """

    http: aiohttp.ClientSession
    issuer: str
    url: str
    secure_url: str
    certified: ssl.SSLContext
    key: ECKey
    federated: Callable[[str], str]

    async def token(self, cell: Cell, form: dict[str, str]) -> dict[str, Any]:
        """The answer to a token request of this cell's client."""
        headers, proof = self._proof(cell)
        secure = cell.authentication == "tls"
        url = self.secure_url if secure else self.url
        context: ssl.SSLContext | bool = self.certified if secure else True
        whole = form | proof
        async with self.http.post(url, data=whole, headers=headers, ssl=context) as answer:
            told = await answer.json()
        assert answer.status == 200, (cell.name, told)
        return dict(told)

    def _proof(self, cell: Cell) -> tuple[dict[str, str], dict[str, str]]:
        """Header fields and form fields."""
        name, secret = cell.name, cell.secret
        match cell.authentication:
            case "basic" | "basic_raw":
                pair = ":".join(urllib.parse.quote_plus(one) for one in (name, secret))
                return {"Authorization": "Basic " + b64encode(pair.encode()).decode()}, {}
            case "post":
                return {}, {"client_id": name, "client_secret": secret}
            case "client_secret_jwt":
                return {}, proof(hmac_assertion(secret, iss=name, sub=name, aud=self.issuer))
            case "private_key_jwt":
                return {}, proof(assertion(self.key, iss=name, sub=name, aud=self.issuer))
            case "federated":
                return {}, proof(self.federated(name))
            case _:
                return {}, {"client_id": name}


def proof(signed: str) -> dict[str, str]:
    """The form fields of RFC 7523 section 2.2."""
    return {"client_assertion_type": ASSERTION_TYPE, "client_assertion": signed}


def hmac_assertion(secret: str, **claims: str) -> str:
    """A JWT with HS256, by the standard library alone."""
    now = int(time.time())
    whole = claims | {"iat": now, "exp": now + 50, "jti": str(uuid.uuid4())}
    parts = [encoded(dumps(part).encode()) for part in ({"alg": "HS256"}, whole)]
    signature = hmac.digest(secret.encode(), ".".join(parts).encode(), sha256)
    return ".".join([*parts, encoded(signature)])


def encoded(raw: bytes) -> str:
    """base64url without padding."""
    return urlsafe_b64encode(raw).rstrip(b"=").decode()
