"""What the store knows an entry by: sharing where the same is issued, and never otherwise."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as some

from proxy.config import model
from proxy.config.model import Credential, Grant
from proxy.oauth.authentication import ClientAuthentication
from proxy.secret import Secret
from proxy.stores.identity import identity

HERE = model.Position("c.yaml", 1, 1)
THERE = model.Position("d.yaml", 9, 9)
PROVIDER = model.Provider(issuer="https://id.example/realms/a")
API = Credential("api", HERE, provider=PROVIDER, client_id="client")


def plain(value: str) -> model.PlainSecret:
    return model.PlainSecret(Secret(value), HERE)


def test_the_text_is_stable() -> None:
    assert identity(replace(API, scope="b a")) == (
        'token-sidecar/1 {"client_id":"client","grant":"client_credentials",'
        '"issuer":"https://id.example/realms/a","scope":["a","b"],"use":["access_token"]}'
    )


DECISIVE: dict[str, object] = {
    "grant": Grant.PASSWORD,
    "provider": model.Provider(issuer="https://id.example/realms/b"),
    "client_id": "other",
    "username": "mary",
    "scope": "read",
    "audience": ("a",),
    "resource": ("https://r",),
    "params": {"tenant": "x"},
    "use": ("id_token",),
    "subject": model.EnvSecret("SUBJECT", HERE),
    "subject_type": "urn:ietf:params:oauth:token-type:jwt",
    "requested_type": "urn:ietf:params:oauth:token-type:jwt",
    "actor": model.FromCredential("actor"),
    "actor_type": "urn:ietf:params:oauth:token-type:jwt",
    "assertion": model.FileSecret(Path("/assertion"), HERE),
    "signing": model.Signing(plain("key"), claims={"sub": "mary"}),
    "sign_in": model.SignIn("https://app.example/"),
}


@pytest.mark.parametrize("field", DECISIVE)
def test_what_decides_which_token_is_issued_changes_it(field: str) -> None:
    assert identity(replace(API, **{field: DECISIVE[field]})) != identity(API)  # type: ignore[arg-type]


def test_all_that_decide_differ_from_one_another() -> None:
    variants = [identity(replace(API, **{name: value})) for name, value in DECISIVE.items()]  # type: ignore[arg-type]
    assert len(set(variants)) == len(DECISIVE)


@pytest.mark.parametrize(
    "same",
    [
        replace(API, name="other", at=THERE),
        replace(API, client_secret=plain("rotated"), client_auth=ClientAuthentication.POST),
        replace(API, client_signing=model.Signing(plain("key"))),
        replace(API, client_assertion=plain("assertion"), assertion_audience="aud"),
        replace(API, password=plain("rotated"), refresh_token=plain("first")),
        replace(API, renew=model.Renew(margin=1.0), required=False, redirect_port=8000),
        replace(API, provider=replace(PROVIDER, tls=model.Tls(verify=False), allow_insecure=True)),
        replace(API, provider=replace(PROVIDER, egress=model.Egress(url="http://u:p@proxy"))),
    ],
)
def test_secrets_and_the_way_of_asking_do_not_change_it(same: Credential) -> None:
    assert identity(same) == identity(API)


@pytest.mark.parametrize(
    "grant", [Grant.AUTHORIZATION_CODE, Grant.DEVICE_CODE, Grant.REFRESH_TOKEN, Grant.STATIC]
)
def test_two_people_on_one_client_never_share(grant: Grant) -> None:
    mary = replace(API, grant=grant, name="mary")
    assert identity(mary) != identity(replace(mary, name="bob"))


def test_plain_tokens_of_two_people_never_share_an_entry() -> None:
    mary = replace(API, grant=Grant.TOKEN_EXCHANGE, name="mary", subject=plain("token"))
    assert identity(mary) == identity(replace(mary, subject=plain("renewed")))
    assert identity(mary) != identity(replace(mary, name="bob"))


def test_an_exchanged_token_follows_whom_the_other_credential_stands_for() -> None:
    exchange = replace(
        API, grant=Grant.TOKEN_EXCHANGE, name="exchange", subject=model.FromCredential("person")
    )
    mary = replace(API, grant=Grant.PASSWORD, name="person", username="mary")
    bob = replace(mary, username="bob")
    assert identity(exchange, {"person": mary}) != identity(exchange, {"person": bob})
    rotated = replace(mary, password=plain("new"))
    assert identity(exchange, {"person": mary}) == identity(exchange, {"person": rotated})


def test_credentials_that_name_each_other_have_an_identity_all_the_same() -> None:
    one = replace(API, name="one", subject=model.FromCredential("two"))
    two = replace(API, name="two", subject=model.FromCredential("one"))
    assert identity(one, {"one": one, "two": two}) != identity(two, {"one": one, "two": two})


def test_params_and_claims_enter_hashed() -> None:
    told = identity(
        replace(
            API,
            params={"tenant": "canary-1"},
            signing=model.Signing(plain("canary-2"), claims={"sub": "canary-3"}),
            refresh_token=plain("canary-4"),
        )
    )
    assert "canary" not in told


texts = some.text(max_size=8)
credentials = some.builds(
    Credential,
    name=texts,
    at=some.just(HERE),
    client_id=texts,
    provider=some.builds(model.Provider, issuer=texts, token_url=texts),
    client_secret=some.builds(plain, texts),
    username=texts,
    audience=some.lists(texts, max_size=3).map(tuple),
    params=some.dictionaries(texts, texts, max_size=3),
    use=some.lists(texts, min_size=1, max_size=2).map(tuple),
)


@given(credentials, credentials)
def test_equal_exactly_where_the_decisive_fields_are(one: Credential, other: Credential) -> None:
    def decisive(credential: Credential) -> tuple[object, ...]:
        assert credential.provider is not None
        return (
            credential.client_id or None,
            credential.provider.issuer or None,
            credential.provider.token_url or None,
            credential.username or None,
            set(credential.audience),
            credential.params,
            credential.use,
        )

    assert (identity(one) == identity(other)) == (decisive(one) == decisive(other))


@given(credentials, texts, texts)
def test_no_rotation_moves_it_and_it_is_one_line(
    credential: Credential, name: str, secret: str
) -> None:
    rotated = replace(credential, name=name, client_secret=plain(secret), password=plain(secret))
    assert identity(rotated) == identity(credential)
    assert identity(credential).isascii()
    assert "\n" not in identity(credential)
