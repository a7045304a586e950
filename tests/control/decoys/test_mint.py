"""What a decoy is, and what it is not worth anything for."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.control.decoys.mint import Mint
from proxy.secret import Secret
from tests.control.decoys.conftest import CLIENTS, KEY, Wall, claims

USER = {"sub": "8f0c"}


def mint(**changes: Any) -> Mint:
    return Mint(**{"key": KEY, "route": "/api/", "clients": CLIENTS, "wall": Wall(), **changes})


def issued(by: Mint, *, client: str | None = "notebook", use: str = "Bearer") -> str:
    return by.issue(use, 3600, issuer="http://localhost/api", client=client, user=USER)


def test_it_is_a_jwt_for_localhost_signed_hs256() -> None:
    header, payload, signature = issued(mint()).split(".")
    assert json.loads(base64.urlsafe_b64decode(header + "==")) == {"alg": "HS256", "typ": "JWT"}
    made = hmac.new(KEY.reveal().encode(), f"{header}.{payload}".encode(), hashlib.sha256)
    assert base64.urlsafe_b64decode(signature + "==") == made.digest()
    told = claims(f".{payload}.")
    assert (told["aud"], told["iss"], told["sub"]) == ("localhost", "http://localhost/api", "8f0c")
    assert (told["iat"], told["exp"]) == (1_700_000_000, 1_700_003_600)


def test_it_stands_for_its_client_until_it_ends() -> None:
    wall = Wall()
    own = mint(wall=wall)
    decoy = issued(own)
    wall.now += 3599.9
    assert own.client(decoy, "Bearer") == "notebook"
    wall.now += 0.2
    assert own.client(decoy, "Bearer") is None


def test_the_same_key_knows_it_again_in_another_process() -> None:
    assert mint().client(issued(mint()), "Bearer") == "notebook"


@pytest.mark.parametrize(
    "other",
    [
        mint(key=Secret("another key")),
        mint(route="/other/"),
        mint(clients={**CLIENTS, "notebook": Secret("changed")}),
        mint(clients={"other": CLIENTS["other"]}),
        mint(clients={}),
    ],
    ids=["key", "route", "client's key", "client gone", "no clients"],
)
def test_it_is_worth_nothing_elsewhere(other: Mint) -> None:
    assert other.client(issued(mint()), "Bearer") is None


def test_one_of_another_use_is_refused() -> None:
    assert mint().client(issued(mint(), use="Refresh"), "Bearer") is None


def test_one_for_nobody_is_nobodys_key() -> None:
    assert mint().client(issued(mint(clients={}), client=None), "Bearer") is None


def test_it_does_not_tell_the_clients_key() -> None:
    told = json.dumps(claims(issued(mint())))
    assert "n0te" not in told
    assert hashlib.sha256(b"n0te").hexdigest() not in told
    assert "n0te" not in repr(mint())
    assert KEY.reveal() not in repr(mint())


@pytest.mark.parametrize("place", range(3))
def test_a_changed_part_is_no_decoy(place: int) -> None:
    parts = issued(mint()).split(".")
    other = issued(replace(mint(), route="/other/")).split(".")
    if place == 0:
        parts[0] = base64.urlsafe_b64encode(b'{"alg":"none"}').decode().rstrip("=")
    else:
        parts[place] = other[place]
    assert mint().client(".".join(parts), "Bearer") is None


@given(st.text(max_size=40))
def test_nothing_else_is_a_decoy(text: str) -> None:
    assert mint().client(text, "Bearer") is None


@given(st.text(max_size=60))
def test_base64_and_base64url_read_the_same(name: str) -> None:
    """Run:ai's SDK reads a JWT with the alphabet of plain base64, which drops - and _."""
    decoy = mint().issue("Bearer", 60, issuer="http://a", client=None, user={"sub": name})
    payload = decoy.split(".")[1]
    assert json.loads(base64.b64decode(payload + "=="))["sub"] == name


def test_each_client_is_known_by_its_key_alone() -> None:
    assert [mint().owner(key) for key in ("n0te", "0ther", "", "n0t", "é")] == [
        *("notebook", "other", None, None, None),
    ]
