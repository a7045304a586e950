"""Whatever secret a configuration names is looked at before anything starts."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from joserfc.jwk import OKPKey

from proxy.config.load import load
from proxy.config.model import Config
from proxy.runtime.preflight import inspect
from proxy.runtime.tls import TlsContexts

KEY = json.dumps(OKPKey.generate_key("Ed25519").as_dict(private=True))
"""As good a value as any for what is only read."""
T = "token_url: https://i/t, client_id: me"


def read(directory: Path, text: str) -> Config:
    file = directory / "c.yaml"
    file.write_text(f"{text}\nroutes: [{{upstream: https://u, credential: none}}]\n")
    return load(file, {"HOME": str(directory)})


def told(directory: Path, text: str, environ: dict[str, str] | None = None) -> list[str]:
    found = inspect(read(directory, text), environ or {}, TlsContexts())
    return [one.message for one in found.problems]


@pytest.mark.parametrize(
    "keys",
    [
        f"{T}, client_auth: client_secret_jwt, client_secret: {{env: X}}",
        f"{T}, client_auth: private_key_jwt, private_key: {{env: X}}",
        f"{T}, client_auth: federated, assertion: {{env: X}}",
        f"{T}, grant: jwt_bearer, assertion: {{env: X}}",
        f"{T}, grant: jwt_bearer, private_key: {{env: X}}, claims: {{iss: i, aud: a}}",
        f"{T}, grant: token_exchange, subject: {{env: X}}",
        f"{T}, grant: token_exchange, subject: request, actor: {{env: X}}",
        "grant: session, url: https://a, username: u, password: {env: X}",
    ],
)
def test_a_secret_of_any_grant_that_is_not_there_is_told(tmp_path: Path, keys: str) -> None:
    text = f"credentials: {{a: {{{keys}}}}}"
    assert told(tmp_path, text) == ["environment variable X is not set; export it"]
    assert told(tmp_path, text, {"X": KEY}) == []


def test_the_stores_key_is_looked_at(tmp_path: Path) -> None:
    text = "store: {file: s, encryption_key: {env: X}}"
    assert told(tmp_path, text) == ["environment variable X is not set; export it"]


@pytest.mark.parametrize(
    "keys",
    [
        "issuer: https://i, client_id: me, grant: device_code",
        "issuer: https://i, client_id: me, grant: authorization_code",
        f"{T}, grant: token_exchange, subject: request",
        f"{T}, grant: token_exchange, subject: {{credential: b}}",
    ],
)
def test_what_a_person_a_caller_or_another_brings_is_not_looked_for(
    tmp_path: Path, keys: str
) -> None:
    text = f"credentials: {{a: {{{keys}}}, b: {{grant: static, token: {{env: B}}}}}}\nstore: file"
    assert told(tmp_path, text, {"B": "b"}) == []


@pytest.mark.parametrize(
    "keys",
    [
        "client_auth: private_key_jwt, private_key: {env: X}",
        "grant: jwt_bearer, private_key: {env: X}, claims: {iss: i, aud: a}",
    ],
)
def test_a_key_that_can_not_sign_is_told_with_its_place(tmp_path: Path, keys: str) -> None:
    text = f"credentials: {{a: {{{T}, {keys}, algorithm: RS256}}}}"
    assert told(tmp_path, text, {"X": "canary"}) == [
        "the private key in environment variable X is neither PEM nor a JWK;"
        " a private key in one of the two is needed"
    ]
    assert "can't sign RS256; set algorithm to EdDSA" in told(tmp_path, text, {"X": KEY})[0]
