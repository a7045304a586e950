"""Logins as the SDKs write them, put to the answers without a socket."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import pytest

from proxy.config.model import SdkLogin
from proxy.control.decoys.choosing import decoys
from proxy.control.decoys.mint import Mint
from proxy.control.decoys.places import Decoys
from proxy.http1.fields import Fields, parse_field
from proxy.http1.target import segments
from proxy.plane.local import Asked, Told
from proxy.secret import Secret

KEY = Secret("the key that decoys are signed with")
CLIENTS = {"notebook": Secret("n0te"), "other": Secret("0ther")}
FORM = b"Content-Type: application/x-www-form-urlencoded"
JSON = b"Content-Type: application/json; charset=utf-8"


def jwt(claims: Mapping[str, Any]) -> bytes:
    """A token as a provider gives them, its signature made up."""
    parts = (json.dumps({"alg": "RS256"}), json.dumps(claims), "signed")
    return b".".join(base64.urlsafe_b64encode(part.encode()).rstrip(b"=") for part in parts)


REAL = jwt({"sub": "8f0c", "email": "mary@example.com", "realm_access": "everything", "exp": 9})


def claims(decoy: str) -> dict[str, Any]:
    """As SDKs read them: the signature is not looked at."""
    payload = decoy.split(".")[1]
    return dict(json.loads(base64.urlsafe_b64decode(payload + "==")))


@dataclass
class Wall:
    """The time of day, moved by the test."""

    now: float = 1_700_000_000.0

    def __call__(self) -> float:
        return self.now


@dataclass
class Sdk:
    """One SDK before one route."""

    login: SdkLogin
    clients: Mapping[str, Secret] = field(default_factory=dict)
    allowed: frozenset[str] | None = None
    route: str = "/api/"
    wall: Wall = field(default_factory=Wall)
    token: bytes | None = REAL
    base: str = "http://localhost:8080/api/"

    @property
    def answers(self) -> Decoys:
        mint = Mint(KEY, self.route, self.clients, wall=self.wall)
        return decoys(self.login, mint, self.allowed)

    def ask(self, method: str, path: str, body: bytes = b"", *lines: bytes) -> Told:
        parts = tuple(segments(b"/" + path.encode()))
        place = self.answers.place(method.encode(), parts)
        assert place is not None, path
        token = self.token if place.wants_token else None
        fields = Fields(parse_field(line) for line in lines)
        return place.answer(Asked(self.base, parts, b"", fields, body=body, token=token))

    def post(self, path: str, *lines: bytes, **form: str) -> dict[str, Any]:
        """A form; what the answer says."""
        told = self.ask("POST", path, urlencode(form).encode(), FORM, *lines)
        return {"status": told.status, "client": told.client, **json.loads(told.body)}

    def client(self, *lines: bytes) -> str | None:
        """Whose key a request with these fields shows."""
        return self.answers.client(Fields(parse_field(line) for line in lines))


@pytest.fixture(params=["open", "keys"])
def wallaroo(request: pytest.FixtureRequest) -> Sdk:
    """Wallaroo's, where anybody may call, and where a key is needed."""
    return Sdk(SdkLogin.WALLAROO, CLIENTS if request.param == "keys" else {})
