"""The embedded provider: RFC 6749 at its token endpoint, signed tokens out of it."""

from __future__ import annotations

import pytest
from joserfc import jwt
from joserfc.jwk import KeySet

PASSWORD = "grant_type=password&username=mary.jane%40example.com&password="


def claims(provider, token):
    keys = KeySet.import_key_set(provider.jwks())
    return jwt.decode(token, keys, algorithms=["RS256"]).claims


def test_a_token_is_signed_with_the_published_key_and_lives_six_seconds(desk, wall):
    answer = desk.ask("grant_type=client_credentials")
    said = claims(desk.provider, answer["access_token"])
    assert answer["token_type"] == "Bearer"
    assert answer["expires_in"] == 6
    assert (said["iat"], said["exp"]) == (int(wall()), int(wall()) + 6)
    assert said["iss"] == desk.provider.issuer
    assert said["sub"] == said["azp"] == "api-client"


def test_the_published_key_has_no_private_part(provider):
    (key,) = provider.jwks()["keys"]
    assert key["kty"] == "RSA"
    assert not {"d", "p", "q", "dp", "dq", "qi"} & set(key)


def test_the_metadata_names_the_endpoints_below_the_issuer(provider):
    said = provider.metadata()
    assert said["issuer"] == provider.issuer
    assert said["token_endpoint"].startswith(provider.issuer)
    assert said["jwks_uri"].startswith(provider.issuer)


def test_no_two_tokens_are_alike(desk):
    assert desk.token() != desk.token()


def test_the_password_grant_speaks_for_the_user_and_brings_a_refresh_token(desk):
    answer = desk.ask(PASSWORD + "snuggle")
    assert claims(desk.provider, answer["access_token"])["sub"] == "mary.jane@example.com"
    assert answer["refresh_token"]


def test_client_credentials_bring_no_refresh_token(desk):
    assert "refresh_token" not in desk.ask("grant_type=client_credentials")


def test_a_refresh_token_serves_once_and_is_replaced(desk):
    first = desk.ask(PASSWORD + "snuggle")["refresh_token"]
    renewed = desk.ask(f"grant_type=refresh_token&refresh_token={first}")
    assert claims(desk.provider, renewed["access_token"])["sub"] == "mary.jane@example.com"
    assert renewed["refresh_token"] != first
    again = desk.reply(f"grant_type=refresh_token&refresh_token={first}")
    assert (again.status, again.body["error"]) == (400, "invalid_grant")


def test_a_refresh_token_is_of_no_use_to_another_client(desk):
    refresh = desk.ask(PASSWORD + "snuggle")["refresh_token"]
    other = desk.reply(f"grant_type=refresh_token&refresh_token={refresh}", "odd", "a%3Ab+c")
    assert other.body["error"] == "invalid_grant"


def test_a_client_may_authenticate_in_the_form(provider):
    form = "grant_type=client_credentials&client_id=api-client&client_secret=s3cret"
    assert provider.token(form, None).status == 200


def test_basic_credentials_are_form_decoded(desk):
    assert desk.reply("grant_type=client_credentials", "odd", "a%3Ab+c").status == 200


@pytest.mark.parametrize(
    ("client", "secret"),
    [("api-client", "wrong"), ("api-client", ""), ("nobody", "s3cret"), ("", "")],
)
def test_a_wrong_client_or_secret_is_refused(desk, client, secret):
    reply = desk.reply("grant_type=client_credentials", client, secret)
    assert (reply.status, reply.body["error"]) == (401, "invalid_client")


@pytest.mark.parametrize("field", [None, "Bearer x", "Basic", "Basic !!!", "Basic bm9jb2xvbg=="])
def test_no_or_broken_client_authentication_is_refused(provider, field):
    reply = provider.token("grant_type=client_credentials", field)
    assert (reply.status, reply.body["error"]) == (401, "invalid_client")


@pytest.mark.parametrize(
    ("body", "error"),
    [
        (PASSWORD + "wrong", "invalid_grant"),
        ("grant_type=password&username=nobody&password=snuggle", "invalid_grant"),
        ("grant_type=refresh_token&refresh_token=made-up", "invalid_grant"),
        ("grant_type=refresh_token", "invalid_grant"),
        ("grant_type=implicit", "unsupported_grant_type"),
        ("", "unsupported_grant_type"),
        ("grant_type=password&grant_type=client_credentials", "invalid_request"),
    ],
)
def test_a_wrong_request_is_refused_with_the_error_of_the_rfc(desk, body, error):
    reply = desk.reply(body)
    assert (reply.status, reply.body["error"]) == (400, error)
    assert "access_token" not in reply.body


def test_every_request_is_counted_and_every_token_by_its_subject(desk):
    desk.ask("grant_type=client_credentials")
    desk.ask("grant_type=client_credentials")
    desk.ask(PASSWORD + "snuggle")
    desk.ask(PASSWORD + "wrong")
    assert desk.provider.ledger() == {
        "requests": 4,
        "issued": {"api-client": 2, "mary.jane@example.com": 1},
        "errors": {"invalid_grant": 1},
    }
