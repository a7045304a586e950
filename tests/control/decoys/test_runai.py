"""Run:ai's own endpoint, as its SDK and its documentation ask it."""

from __future__ import annotations

import json

import pytest

from proxy.config.model import SdkLogin
from tests.control.decoys.conftest import CLIENTS, JSON, Sdk, claims

AS_THE_SDK = {"grantType": "app_token", "AppId": "app", "AppSecret": "n0te"}
AS_DOCUMENTED = {"grantType": "client_credentials", "clientId": "app", "clientSecret": "n0te"}


@pytest.mark.parametrize("body", [AS_THE_SDK, AS_DOCUMENTED])
def test_it_answers_both_ways_of_asking(body: dict[str, str]) -> None:
    sdk = Sdk(SdkLogin.RUNAI, CLIENTS)
    told = sdk.ask("POST", "api/v1/token", json.dumps(body).encode(), JSON)
    decoy = json.loads(told.body)["accessToken"]
    assert claims(decoy)["exp"] == sdk.wall.now + 3600
    assert told.client == "notebook"
    assert sdk.client(b"Authorization: Bearer " + decoy.encode()) == "notebook"


def test_without_keys_any_secret_does() -> None:
    told = Sdk(SdkLogin.RUNAI).ask("POST", "api/v1/token", b'{"AppSecret": null}', JSON)
    assert told.status == 200


def test_a_wrong_key_is_refused() -> None:
    body = json.dumps(AS_THE_SDK | {"AppSecret": "wrong"}).encode()
    assert Sdk(SdkLogin.RUNAI, CLIENTS).ask("POST", "api/v1/token", body, JSON).status == 403


def test_its_keycloak_is_there_too() -> None:
    sdk = Sdk(SdkLogin.RUNAI, CLIENTS)
    told = sdk.post("auth/realms/acme/protocol/openid-connect/token", client_secret="n0te")
    assert sdk.client(b"Authorization: Bearer " + told["access_token"].encode()) == "notebook"
