from __future__ import annotations

import base64
import json
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.message import Request
from proxy.oauth import request
from proxy.oauth.authentication import ClientAuthentication
from proxy.oauth.client import Client
from proxy.oauth.request import RESERVED, Wish
from proxy.secret import Secret

URL = "https://id.example/token"
PUBLIC = Client("me")


def form(built: Request) -> list[tuple[str, str]]:
    return parse_qsl(built.body.decode("ascii"), keep_blank_values=True, strict_parsing=True)


def basic(built: Request) -> str:
    scheme, _, encoded = built.headers["Authorization"].partition(" ")
    assert scheme == "Basic"
    return base64.b64decode(encoded).decode()


def test_client_credentials_ask_for_nothing_but_what_is_wished() -> None:
    built = request.client_credentials(URL, PUBLIC, Wish())
    assert (built.method, built.url) == ("POST", URL)
    assert form(built) == [("grant_type", "client_credentials"), ("client_id", "me")]
    assert built.headers == {
        "Accept": "application/json",
        "Content-Type": "application/x-www-form-urlencoded",
    }


def test_scope_audiences_resources_and_params_go_into_the_form() -> None:
    wish = Wish("openid email", ("a", "b"), ("https://r/1", "https://r/2"), {"response_type": "x"})
    assert form(request.client_credentials(URL, PUBLIC, wish)) == [
        ("grant_type", "client_credentials"),
        ("scope", "openid email"),
        ("client_id", "me"),
        ("audience", "a"),
        ("audience", "b"),
        ("resource", "https://r/1"),
        ("resource", "https://r/2"),
        ("response_type", "x"),
    ]


def test_password_grant_carries_name_and_password() -> None:
    built = request.password(URL, PUBLIC, Wish("offline_access"), "mary", Secret("pa&ss=1 %"))
    assert form(built) == [
        ("grant_type", "password"),
        ("username", "mary"),
        ("password", "pa&ss=1 %"),
        ("scope", "offline_access"),
        ("client_id", "me"),
    ]


def test_refresh_leaves_the_scope_out_unless_told() -> None:
    wish = Wish("offline_access", ("a",))
    quiet = form(request.refresh(URL, PUBLIC, wish, Secret("r"), None))
    assert quiet == [
        ("grant_type", "refresh_token"),
        ("refresh_token", "r"),
        ("client_id", "me"),
        ("audience", "a"),
    ]
    assert ("scope", "x") in form(request.refresh(URL, PUBLIC, wish, Secret("r"), "x"))


def test_basic_form_encodes_id_and_secret_before_joining_them() -> None:
    client = Client("a:b c", ClientAuthentication.BASIC, Secret("p@ss:w%rd+ é"))
    built = request.client_credentials(URL, client, Wish())
    assert basic(built) == "a%3Ab+c:p%40ss%3Aw%25rd%2B+%C3%A9"
    assert "client_id" not in dict(form(built))


def test_basic_raw_sends_them_as_they_are() -> None:
    client = Client("a", ClientAuthentication.BASIC_RAW, Secret("p@ss:w%rd é"))
    assert basic(request.client_credentials(URL, client, Wish())) == "a:p@ss:w%rd é"


def test_post_puts_them_into_the_form_and_nowhere_else() -> None:
    client = Client("a", ClientAuthentication.POST, Secret("s&t"))
    built = request.client_credentials(URL, client, Wish())
    assert dict(form(built)) == {
        "grant_type": "client_credentials",
        "client_id": "a",
        "client_secret": "s&t",
    }
    assert "Authorization" not in built.headers


@pytest.mark.parametrize("name", sorted(RESERVED))
def test_params_cannot_speak_for_a_field_with_a_setting_of_its_own(name: str) -> None:
    with pytest.raises(ValueError, match=f"params may not set {name}"):
        Wish(params={name: "x"})


def test_neither_request_nor_proof_nor_wish_shows_a_secret() -> None:
    client = Client("a", ClientAuthentication.POST, Secret("canary"))
    built = request.password(URL, client, Wish(params={"x": "canary"}), "mary", Secret("canary"))
    assert "canary" not in f"{built!r}{client!r}{Wish(params={'x': 'canary'})!r}"


@given(st.text(min_size=1), st.text(min_size=1))
def test_whatever_the_secrets_hold_they_arrive_whole(username: str, secret: str) -> None:
    try:
        (username + secret).encode()
    except UnicodeEncodeError:
        return
    built = request.password(URL, PUBLIC, Wish(), username, Secret(secret))
    fields = dict(form(built))
    assert (fields["username"], fields["password"]) == (username, secret)


def test_a_code_goes_with_its_redirect_uri_and_verifier() -> None:
    wish = Wish("openid", ("api",), ("https://api.example",), {"more": "yes"})
    code, verifier = Secret("c/0&de"), Secret("v" * 43)
    built = request.authorization_code(
        URL, PUBLIC, wish, code, "https://app.example/cb?a=1", verifier
    )
    assert sorted(form(built)) == sorted(
        [
            ("grant_type", "authorization_code"),
            ("code", "c/0&de"),
            ("redirect_uri", "https://app.example/cb?a=1"),
            ("code_verifier", "v" * 43),
            ("client_id", "me"),
            ("audience", "api"),
            ("resource", "https://api.example"),
            ("more", "yes"),
        ]
    )


def test_a_device_asks_for_a_code_and_then_for_its_token() -> None:
    wish = Wish("openid profile", ("api",))
    asked = request.device_authorization(URL, PUBLIC, wish)
    assert form(asked) == [
        ("client_id", "me"),
        ("scope", "openid profile"),
        ("audience", "api"),
    ]
    polled = request.device_code(URL, PUBLIC, wish, Secret("d"))
    assert form(polled) == [
        ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
        ("device_code", "d"),
        ("client_id", "me"),
        ("audience", "api"),
    ]


def test_a_token_is_revoked_with_a_hint_and_the_clients_proof() -> None:
    client = Client("me", ClientAuthentication.BASIC, Secret("secret"))
    built = request.revocation(URL, client, Secret("r"), "refresh_token")
    assert form(built) == [("token", "r"), ("token_type_hint", "refresh_token")]
    assert basic(built) == "me:secret"


@pytest.mark.parametrize(
    "how",
    [
        ClientAuthentication.CLIENT_SECRET_JWT,
        ClientAuthentication.PRIVATE_KEY_JWT,
        ClientAuthentication.FEDERATED,
    ],
)
def test_an_assertion_goes_into_the_form_with_its_type_and_without_a_secret(
    how: ClientAuthentication,
) -> None:
    client = Client("me", how, assertion=Secret("a.b.c"))
    built = request.client_credentials(URL, client, Wish())
    assert dict(form(built)) == {
        "grant_type": "client_credentials",
        "client_id": "me",
        "client_assertion_type": "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
        "client_assertion": "a.b.c",
    }
    assert "Authorization" not in built.headers


def test_a_client_with_a_certificate_only_names_itself() -> None:
    built = request.client_credentials(URL, Client("me", ClientAuthentication.TLS), Wish())
    assert form(built) == [("grant_type", "client_credentials"), ("client_id", "me")]


def test_json_endpoints_get_an_object_with_their_own_names() -> None:
    names = {
        "grant_type": "grantType",
        "client_id": "clientId",
        "client_secret": "clientSecret",
    }
    client = Client("me", ClientAuthentication.POST, Secret("s&t é"))
    wish = Wish("read", ("a", "b"), params={"tenant": "x"}, json_names=names)
    built = request.client_credentials(URL, client, wish)
    assert json.loads(built.body) == {
        "grantType": "client_credentials",
        "scope": "read",
        "audience": ["a", "b"],
        "tenant": "x",
        "clientId": "me",
        "clientSecret": "s&t é",
    }
    assert built.headers["Content-Type"] == "application/json"


def test_json_without_names_keeps_those_of_the_form_and_basic_in_the_header() -> None:
    client = Client("me", ClientAuthentication.BASIC, Secret("s"))
    wish = Wish(json_names={})
    built = request.password(URL, client, wish, "mary", Secret("pw"))
    assert json.loads(built.body) == {
        "grant_type": "password",
        "username": "mary",
        "password": "pw",
    }
    assert basic(built) == "me:s"
