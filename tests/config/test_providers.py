from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.config.model import Config, Provider
from proxy.config.providers import token_url_of


@pytest.mark.parametrize(
    ("login_url", "token_url"),
    [
        (
            "http://localhost:8000/auth/realms/eggplant/protocol/openid-connect/auth?client_id=x",
            "http://localhost:8000/auth/realms/eggplant/protocol/openid-connect/token",
        ),
        ("https://a/auth", "https://a/token"),
        ("https://a/auth/", "https://a/token"),
        ("https://a/auth/login?next=/auth", "https://a/token"),
        ("https://a/authorize/auth/x", "https://a/authorize/token"),
        ("https://a/oauth/auth?x=1", "https://a/oauth/token"),
        ("https://a/oauth", None),
        ("https://a/?/auth", None),
        ("https://auth", None),
    ],
)
def test_the_token_endpoint_lies_where_the_last_auth_segment_was(
    login_url: str, token_url: str | None
) -> None:
    assert token_url_of(login_url) == token_url


SHARED = """\
providers:
  p: {token_url: https://idp/token, tls: {verify: false}, proxy: none}
credentials:
  a: {provider: p, client_id: a, client_secret: {env: A}}
"""


def provider_of(config: Config, name: str = "a") -> Provider:
    found = config.credentials[name].provider
    assert found is not None
    return found


def test_a_credential_takes_what_its_provider_has(loaded: Callable[[str], Config]) -> None:
    config = loaded(SHARED)
    found = provider_of(config)
    assert (found.token_url, found.tls.verify) == ("https://idp/token", False)
    assert not found.egress.from_environment
    assert [(one.line, one.column) for one in config.warnings] == [(2, 51)]


def test_what_a_credential_says_itself_comes_first(loaded: Callable[[str], Config]) -> None:
    more = SHARED.replace(
        "provider: p,", "provider: p, issuer: https://other, tls: {verify: true},"
    )
    found = provider_of(loaded(more))
    assert (found.token_url, found.issuer, found.tls.verify) == (None, "https://other", True)
    assert not found.egress.from_environment


def test_a_login_url_becomes_the_token_endpoint(loaded: Callable[[str], Config]) -> None:
    text = SHARED.replace("token_url: https://idp/token", "login_url: https://idp/x/auth?a=b")
    assert provider_of(loaded(text)).token_url == "https://idp/x/token"


def test_a_provider_that_is_not_there_is_told_with_the_nearest(
    problems: Callable[[str], list[str]],
) -> None:
    text = SHARED.replace("provider: p,", "provider: keycloack,").replace("  p:", "  keycloak:")
    assert problems(text) == [
        "4:17: `provider` names `keycloack`, which is not in providers; did you mean `keycloak`?"
    ]


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("token_url: http://idp", "`token_url` sends secrets over plain http"),
        ("token_url: idp", "`token_url` must be a URL"),
        ("issuer: https://i, login_url: https://i/auth", "keep one"),
        ("token_url: https://i, client_id: x", "unknown key `client_id`; it belongs to a credent"),
        ("token_url: https://i, tls: {ca_file: x.pem}", "`ca_file` names a file that is not there"),
    ],
)
def test_a_wrong_provider_is_one_mistake_however_many_use_it(
    problems: Callable[[str], list[str]], keys: str, expected: str
) -> None:
    text = f"""\
        providers:
          p: {{{keys}}}
        credentials:
          a: {{provider: p, client_id: a, client_secret: {{env: A}}}}
          b: {{provider: p, client_id: b, client_secret: {{env: A}}}}
        """
    (found,) = problems(text)
    assert found.startswith("2:")
    assert expected in found


def test_client_certificates_are_absolute_paths(
    loaded: Callable[[str], Config], directory: Path
) -> None:
    for name in ("a.pem", "a.key"):
        (directory / name).touch()
    text = SHARED.replace("verify: false", "cert_file: a.pem, key_file: ./a.key")
    tls = provider_of(loaded(text)).tls
    assert (tls.cert_file, tls.key_file) == (directory / "a.pem", directory / "a.key")


FURTHER = ("authorize_url", "device_url", "revocation_url", "jwks_url")


def test_a_credential_takes_every_endpoint_that_its_provider_has(
    loaded: Callable[[str], Config],
) -> None:
    more = ", ".join(f"{name}: https://idp/{name}" for name in FURTHER)
    found = provider_of(loaded(SHARED.replace("proxy: none", f"proxy: none, {more}")))
    assert [getattr(found, name) for name in FURTHER] == [f"https://idp/{n}" for n in FURTHER]


def test_a_credential_with_its_own_provider_takes_no_endpoint_of_another(
    loaded: Callable[[str], Config],
) -> None:
    text = SHARED.replace("proxy: none", "proxy: none, jwks_url: https://idp/keys").replace(
        "provider: p,", "provider: p, issuer: https://other,"
    )
    assert provider_of(loaded(text)).jwks_url is None
