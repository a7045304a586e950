"""The provider that Wallaroo's and Seldon's SDKs believe to log in at."""

from __future__ import annotations

import base64
import json

import pytest

from proxy.config.model import SdkLogin
from tests.control.decoys.conftest import CLIENTS, REAL, Sdk, claims, jwt

TOKEN = "auth/realms/master/protocol/openid-connect/token"
BY_PASSWORD = {"grant_type": "password", "client_id": "sdk-client", "username": "joe@example.com"}


def test_a_login_by_password_brings_all_that_the_sdk_reads(wallaroo: Sdk) -> None:
    told = wallaroo.post(TOKEN, **BY_PASSWORD, password="n0te")
    assert told["status"] == 200
    assert told["client"] == ("notebook" if wallaroo.clients else None)
    assert (told["token_type"], told["expires_in"]) == ("Bearer", 3600)
    assert told["refresh_expires_in"] == 30 * 24 * 3600
    bearer = claims(told["access_token"])
    assert bearer["iss"] == "http://localhost:8080/api/auth/realms/master"
    assert bearer["exp"] - bearer["iat"] == 3600


def test_the_user_is_the_real_tokens_and_nothing_else_of_it_shows(wallaroo: Sdk) -> None:
    told = wallaroo.post(TOKEN, **BY_PASSWORD, password="n0te")
    bearer = claims(told["access_token"])
    assert (bearer["sub"], bearer["email"]) == ("8f0c", "mary@example.com")
    assert "everything" not in json.dumps(bearer)
    assert REAL.decode() not in json.dumps(told)


@pytest.mark.parametrize("token", [b"opaque", b"sid=a; b=c", jwt({"sub": 7, "email": ""}), None])
def test_a_token_that_tells_no_user_leaves_the_one_that_logs_in(token: bytes | None) -> None:
    sdk = Sdk(SdkLogin.WALLAROO, token=token)
    bearer = claims(sdk.post(TOKEN, **BY_PASSWORD)["access_token"])
    assert (bearer["sub"], bearer["email"]) == ("token-sidecar", "joe@example.com")


@pytest.mark.parametrize(
    ("lines", "form"),
    [
        ((), {"password": "n0te"}),
        ((), {"client_secret": "n0te"}),
        ((b"Authorization: Basic " + base64.b64encode(b"id:n0te"),), {}),
    ],
)
def test_the_clients_key_stands_where_a_secret_would(
    lines: tuple[bytes, ...], form: dict[str, str]
) -> None:
    sdk = Sdk(SdkLogin.SELDON, CLIENTS)
    told = sdk.post(TOKEN, *lines, grant_type="client_credentials", **form)
    assert told["client"] == "notebook"
    assert sdk.client(b"Authorization: Bearer " + told["id_token"].encode()) == "notebook"
    assert sdk.client(b"Authorization: bearer  " + told["access_token"].encode()) == "notebook"
    assert sdk.client(b"Authorization: Bearer " + told["refresh_token"].encode()) is None


@pytest.mark.parametrize("form", [{}, {"password": "wrong"}, {"client_secret": ""}])
def test_without_a_key_nobody_logs_in(form: dict[str, str]) -> None:
    told = Sdk(SdkLogin.SELDON, CLIENTS).post(TOKEN, **(BY_PASSWORD | form))
    assert (told["status"], told["error"]) == (403, "invalid_client")
    assert "client key" in told["error_description"]


def test_a_client_that_the_route_does_not_serve_gets_nothing() -> None:
    sdk = Sdk(SdkLogin.WALLAROO, CLIENTS, frozenset({"other"}))
    told = sdk.post(TOKEN, **BY_PASSWORD, password="n0te")
    assert (told["status"], told["error"]) == (403, "access_denied")


def test_a_refresh_goes_on_without_the_key_until_it_ends_or_the_key_changes() -> None:
    sdk = Sdk(SdkLogin.WALLAROO, CLIENTS)
    first = sdk.post(TOKEN, **BY_PASSWORD, password="n0te")

    def refreshed(refresh_token: str) -> dict[str, object]:
        return sdk.post(TOKEN, grant_type="refresh_token", refresh_token=refresh_token)

    sdk.wall.now += 7200
    again = refreshed(first["refresh_token"])
    assert again["client"] == "notebook"
    assert sdk.client(b"Authorization: Bearer " + str(again["access_token"]).encode())
    assert refreshed(first["access_token"])["error"] == "invalid_grant"
    sdk.wall.now += 30 * 24 * 3600
    assert refreshed(first["refresh_token"])["error"] == "invalid_grant"
    assert refreshed(str(again["refresh_token"]))["error"] == "invalid_grant"


def test_without_keys_a_refresh_token_of_the_real_provider_does() -> None:
    sdk = Sdk(SdkLogin.WALLAROO)
    assert sdk.post(TOKEN, grant_type="refresh_token", refresh_token="cached")["status"] == 200


def test_the_device_flow_ends_at_once() -> None:
    sdk = Sdk(SdkLogin.WALLAROO)
    started = sdk.post("auth/realms/master/protocol/openid-connect/auth/device", client_id="a")
    assert started["verification_uri_complete"].startswith(sdk.base + "auth/realms/master/")
    path = started["verification_uri"].removeprefix(sdk.base)
    assert b"logged in" in sdk.ask("GET", path).body
    grant = "urn:ietf:params:oauth:grant-type:device_code"
    told = sdk.post(TOKEN, grant_type=grant, device_code=started["device_code"])
    assert claims(told["access_token"])["email"] == "mary@example.com"


def test_the_device_flow_shows_no_key() -> None:
    sdk = Sdk(SdkLogin.WALLAROO, CLIENTS)
    path = "auth/realms/master/protocol/openid-connect/auth/device"
    told = sdk.post(path, client_id="sdk-client")
    assert (told["status"], told["error"]) == (403, "unauthorized_client")
    assert "by password instead" in told["error_description"]


@pytest.mark.parametrize("realm", ["", "auth/realms/deploy-realm/", "a%20b/"])
def test_discovery_leads_to_places_that_are_there(realm: str) -> None:
    sdk = Sdk(SdkLogin.SELDON)
    told = json.loads(sdk.ask("GET", f"{realm}.well-known/openid-configuration").body)
    for name in ("authorization_endpoint", "jwks_uri"):
        assert sdk.ask("GET", told[name].removeprefix(sdk.base)).status == 200
    token = told["token_endpoint"].removeprefix(sdk.base)
    assert sdk.post(token, grant_type="authorization_code", code="localhost")["status"] == 200
    issued = sdk.post(token, grant_type="client_credentials")["id_token"]
    assert claims(issued)["iss"] == told["issuer"]


def test_the_code_to_paste_is_shown() -> None:
    path = "auth/realms/deploy-realm/protocol/openid-connect/auth"
    told = Sdk(SdkLogin.SELDON).ask("GET", path)
    assert told.content_type.startswith("text/html")
    assert b"<b>localhost</b>" in told.body
    assert dict(told.fields)["Content-Security-Policy"].startswith("default-src 'none'")


def test_wallaroos_client_asks_its_settings_before_it_logs_in() -> None:
    answers = Sdk(SdkLogin.WALLAROO).answers
    assert answers.asked_by_nobody(b"GET", (b"v1", b"api", b"config"))
    assert not answers.asked_by_nobody(b"POST", (b"v1", b"api", b"config"))
    assert not answers.asked_by_nobody(b"GET", (b"v1", b"api", b"config", b""))
    assert not answers.asked_by_nobody(b"GET", (b"a", b"v1", b"api", b"config"))
    assert not Sdk(SdkLogin.SELDON).answers.asked_by_nobody(b"GET", (b"v1", b"api", b"config"))


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", TOKEN),
        ("POST", "protocol/openid-connect/token/"),
        ("POST", "openid-connect/token"),
        ("POST", "v1/graphql"),
        ("GET", ""),
    ],
)
def test_all_else_is_the_upstreams(method: str, path: str) -> None:
    parts = tuple(path.encode().split(b"/"))
    assert Sdk(SdkLogin.WALLAROO).answers.place(method.encode(), parts) is None


@pytest.mark.parametrize("body", [b"[]", b"{", b"\xff", b'{"grant_type": 7}', b"[" * 9000])
def test_a_body_that_says_nothing_is_no_key(body: bytes) -> None:
    sdk = Sdk(SdkLogin.WALLAROO, CLIENTS)
    for kind in (b"application/json", b"application/x-www-form-urlencoded", b"multipart/form-data"):
        assert sdk.ask("POST", TOKEN, body, b"Content-Type: " + kind).status == 403
