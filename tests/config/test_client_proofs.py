from collections.abc import Callable
from pathlib import Path

import pytest

from proxy.config.model import Config, Credential, FileSecret, KeyringSecret
from proxy.oauth.authentication import ClientAuthentication

T = "token_url: https://i/t, client_id: me"


def credential(keys: str) -> str:
    return f"credentials:\n  a: {{{keys}}}\n"


@pytest.fixture
def read(loaded: Callable[[str], Config], directory: Path) -> Callable[[str], Credential]:
    for name in ("c.pem", "k.pem"):
        (directory / name).touch()
    return lambda keys: loaded(credential(keys)).credentials["a"]


def test_a_client_signs_with_its_own_key(read: Callable[[str], Credential]) -> None:
    found = read(
        f"{T}, client_auth: private_key_jwt, private_key: {{file: /k}}, key_id: k1, "
        "algorithm: PS256, assertion_audience: https://i"
    )
    assert found.client_auth is ClientAuthentication.PRIVATE_KEY_JWT
    assert found.client_signing is not None
    assert isinstance(found.client_signing.private_key, FileSecret)
    assert (found.client_signing.key_id, found.client_signing.algorithm) == ("k1", "PS256")
    assert (found.assertion_audience, found.signing) == ("https://i", None)


def test_a_client_signs_with_its_secret(read: Callable[[str], Credential]) -> None:
    found = read(f"{T}, client_auth: client_secret_jwt, client_secret: {{keyring: a/b/c}}")
    assert found.client_auth is ClientAuthentication.CLIENT_SECRET_JWT
    assert isinstance(found.client_secret, KeyringSecret)
    assert (found.client_secret.service, found.client_secret.name) == ("a/b", "c")


def test_a_certificate_may_be_the_proof(read: Callable[[str], Credential]) -> None:
    found = read(f"{T}, client_auth: tls, tls: {{cert_file: c.pem, key_file: k.pem}}")
    assert found.client_auth is ClientAuthentication.TLS


def test_a_providers_certificate_serves_its_credentials(
    loaded: Callable[[str], Config], directory: Path
) -> None:
    (directory / "c.pem").touch()
    text = """\
        providers: {p: {issuer: https://i, tls: {cert_file: c.pem}}}
        credentials: {a: {provider: p, client_id: me, client_auth: tls}}
        """
    assert loaded(text).credentials["a"].client_auth is ClientAuthentication.TLS


def test_somebody_else_may_vouch(read: Callable[[str], Credential]) -> None:
    found = read(f"{T}, client_auth: federated, assertion: {{file: /a}}")
    assert isinstance(found.client_assertion, FileSecret)
    assert found.assertion is None


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ("client_auth: client_secret_jwt", "client_auth client_secret_jwt needs `client_secret`"),
        ("client_auth: private_key_jwt", "client_auth private_key_jwt needs `private_key`"),
        ("client_auth: federated", "client_auth federated needs `assertion`"),
        ("client_auth: tls", "client_auth tls needs `tls: {cert_file: …, key_file: …}`"),
        ("client_auth: tls, tls: {verify: true}", "client_auth tls needs `tls: {cert_file"),
        ("client_auth: private_key_jwt, private_key: {file: k}, client_secret: {env: S}",
         "`client_secret` is never sent with client_auth private_key_jwt"),
        ("private_key: {file: k}", "`private_key` belongs to grant jwt_bearer or client_auth "
         "private_key_jwt, and this one is client_credentials"),
        ("assertion: {file: k}", "`assertion` belongs to grant jwt_bearer or client_auth"),
        ("client_secret: {env: S}, assertion_audience: x",
         "`assertion_audience` belongs to client_auth client_secret_jwt or private_key_jwt, "
         "and this one is basic"),
        ("client_secret: {keyring: a}", "`keyring` must be service/name"),
        ("client_secret: {keyring: /a}", "`keyring` must be service/name"),
        ("client_secret: {keyrng: a/b}", "unknown key; a secret has env, file, keyring, "
         "vault, command and systemd; did you mean `keyring`?"),
        ("client_secret: {env: S}, params: {client_assertion: x}", "it has a key of its own"),
        ("client_secret: {env: S}, params: {subject_token: x}", "it has a key of its own"),
    ],
)  # fmt: skip
def test_what_does_not_prove_the_client_is_located_and_explained(
    problems: Callable[[str], list[str]], keys: str, expected: str
) -> None:
    (found,) = problems(credential(f"{T}, {keys}"))
    assert found.startswith("2:")
    assert expected in found


@pytest.mark.parametrize(
    ("request_", "names"),
    [
        ("form", None),
        ("json", {}),
        ("{json: {client_id: clientId, grant_type: grantType}}",
         {"client_id": "clientId", "grant_type": "grantType"}),
    ],
)  # fmt: skip
def test_a_token_request_is_a_form_or_json(
    read: Callable[[str], Credential], request_: str, names: dict[str, str] | None
) -> None:
    found = read(f"{T}, client_secret: {{env: S}}, request: {request_}")
    assert found.provider is not None
    assert found.provider.json_names == names


def test_a_credential_may_ask_by_form_where_its_provider_wants_json(
    loaded: Callable[[str], Config],
) -> None:
    text = """\
        providers: {p: {issuer: https://i, request: json}}
        credentials: {a: {provider: p, client_id: me, client_secret: {env: S}, request: form}}
        """
    provider = loaded(text).credentials["a"].provider
    assert provider is not None
    assert provider.json_names is None


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ("jsn", "`request` must be form, json, or {json: {client_id: clientId}}; did you mean"),
        ("{form: {}}", "`request` must be form, json"),
        ("{json: [a]}", "`json` must be a mapping of fields to their names there"),
        ("{json: {grant_typ: a}}", "not a field of a token request; did you mean `grant_type`?"),
        ("{json: {whatever: a}}", "not a field of a token request; known: grant_type, client_id"),
        ("{json: {scope: 1}}", "a field's name must be text"),
        ("{json: {scope: a, client_id: a}}", "`json` gives two fields the same name"),
    ],
)
def test_a_wrong_shape_of_a_token_request_is_located(
    problems: Callable[[str], list[str]], request_: str, expected: str
) -> None:
    (found,) = problems(credential(f"{T}, client_secret: {{env: S}}, request: {request_}"))
    assert expected in found


@pytest.mark.parametrize(
    "keys",
    [
        "client_auth: federated, assertion: {file: /a}",
        "grant: jwt_bearer, assertion: {file: /a}",
        "grant: jwt_bearer, private_key: {file: /k}, claims: {iss: me, sub: mary}",
    ],
)
def test_where_an_assertion_says_who_asks_no_client_id_has_to(
    read: Callable[[str], Credential], keys: str
) -> None:
    assert read(f"token_url: https://i/t, {keys}").client_id is None


@pytest.mark.parametrize(
    "keys",
    [
        "client_auth: private_key_jwt, private_key: {file: /k}",
        "grant: jwt_bearer, assertion: {file: /a}, client_secret: {env: S}",
        "grant: authorization_code, authorize_url: https://i/a, client_auth: federated, "
        "assertion: {file: /a}",
    ],
)
def test_elsewhere_it_is_missing(problems: Callable[[str], list[str]], keys: str) -> None:
    found = problems(credential(f"token_url: https://i/t, {keys}"))
    assert any("`client_id` is missing" in one for one in found)


def test_an_id_token_is_for_a_client_that_has_to_be_named(
    problems: Callable[[str], list[str]],
) -> None:
    keys = "client_auth: federated, assertion: {file: /a}, use: [id_token, access_token]"
    (found,) = problems(credential(f"token_url: https://i/t, {keys}"))
    assert found.startswith("2:")
    assert "`use: id_token` needs `client_id`" in found
