"""What makes an ID token unfit: real signatures, and what an attacker would try instead."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pytest
from joserfc import jwt as signing
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

from proxy.errors import TokenRequestError
from proxy.oauth import jwks
from proxy.oauth.id_token import Expected, UnknownKeyError, verify
from proxy.oauth.jwks import Keys
from proxy.oauth.response import UnusableAnswerError
from proxy.secret import Secret
from tests.support.answers import answer

NOW = 1_700_000_000.0
ISSUER = "https://idp.example.com/realms/acme"
RSA = RSAKey.generate_key(2048, parameters={"kid": "rsa"})
OTHER = RSAKey.generate_key(2048, parameters={"kid": "other"})
EC = ECKey.generate_key("P-256", parameters={"kid": "ec"})
ED = OKPKey.generate_key("Ed25519", parameters={"kid": "ed"})
SIGNERS = {
    "RS256": RSA,
    "RS384": RSA,
    "RS512": RSA,
    "PS256": RSA,
    "ES256": EC,
    "Ed25519": ED,
}
USUAL: dict[str, Any] = {
    "iss": ISSUER,
    "aud": "sd-api",
    "sub": "mary",
    "iat": int(NOW) - 5,
    "exp": int(NOW) + 60,
}


def token(
    alg: str = "RS256", key: Any = None, header: Mapping[str, Any] = {}, **claims: Any
) -> str:
    signer = key or SIGNERS[alg]
    wanted = {name: one for name, one in (USUAL | claims).items() if one is not None}
    return signing.encode({"alg": alg, "kid": signer.kid, **header}, wanted, signer, [alg])


def published(*keys: Any, **members: Any) -> Keys:
    listed = [key.as_dict(private=False) | members for key in keys]
    return jwks.read(answer({"keys": listed}), "https://idp.example.com")


KNOWN = published(RSA)


def expected(**changes: Any) -> Expected:
    usual = {"where": "https://idp.example.com", "client_id": "sd-api", "now": NOW}
    return Expected(**(usual | {"issuer": ISSUER} | changes))


def refused(made: str, keys: Keys | None = KNOWN, **changes: Any) -> str:
    with pytest.raises(UnusableAnswerError) as caught:
        verify(made, keys, expected(**changes))
    assert caught.value.reason == "id_token"
    assert made not in str(caught.value)
    return str(caught.value)


@pytest.mark.parametrize("alg", SIGNERS)
def test_a_token_by_every_kind_of_key_is_believed(alg: str) -> None:
    keys = published(OTHER, RSA, EC, ED)
    assert verify(token(alg), keys, expected())["sub"] == "mary"


def test_a_token_without_a_key_id_is_believed_where_any_key_fits() -> None:
    made = signing.encode({"alg": "RS256"}, USUAL, RSA)
    assert verify(made, published(OTHER, RSA), expected())


def test_a_signature_by_another_key_is_found_even_under_the_known_id() -> None:
    forger = RSAKey.generate_key(2048, parameters={"kid": "rsa"})
    assert "signature is wrong" in refused(token(key=forger))


def test_a_key_that_nobody_knows_is_told_apart_from_all_else() -> None:
    with pytest.raises(UnknownKeyError):
        verify(token(key=OTHER), published(RSA), expected())


@pytest.mark.parametrize("keys", [None, published(RSA)])
@pytest.mark.parametrize("alg", ["none", "None", "nOnE", None, 7])
def test_an_unsigned_token_is_refused_even_where_no_key_is_known(
    keys: Keys | None, alg: object
) -> None:
    assert "not signed" in refused(forged({"alg": alg}, USUAL), keys)


def test_the_public_key_is_no_password_to_sign_with() -> None:
    secret = OctKey.import_key(RSA.as_pem(private=False).decode().replace("-----", "====="))
    made = signing.encode({"alg": "HS256", "kid": "rsa"}, USUAL, secret, ["HS256"])
    assert "HS256" in refused(made)


def test_a_symmetric_key_in_the_list_is_left_out() -> None:
    assert jwks.read(answer({"keys": [{"kty": "oct", "k": "c2VjcmV0"}]}), "x") == ()


def test_a_key_for_one_algorithm_or_for_encryption_checks_nothing_else() -> None:
    assert refused(token("PS256"), published(RSA, alg="RS256"))
    assert refused(token(), published(RSA, use="enc"))


def test_a_key_of_another_curve_checks_nothing() -> None:
    other = ECKey.generate_key("P-384", parameters={"kid": "ec"})
    assert refused(token("ES256"), published(other))


def test_the_key_that_the_token_names_must_be_the_one_that_signed() -> None:
    assert refused(token(header={"kid": "other"}), published(RSA, OTHER))


def test_a_key_inside_the_token_is_not_looked_at() -> None:
    forger = RSAKey.generate_key(2048, parameters={"kid": "forger"})
    own = {"jwk": forger.as_dict(private=False)}
    assert refused(token(key=forger, header=own))


def test_changed_claims_are_found() -> None:
    head, _, signature = token().split(".")
    body = segment(USUAL | {"sub": "mallory"})
    assert "signature" in refused(f"{head}.{body}.{signature}")


@pytest.mark.parametrize(
    "made",
    [
        "opaque",
        "a.b.c",
        "..",
        "é.é.é",
        "x" * 70_000,
        ".".join(["e30"] * 5),
        "e30." * 2 + "e30",
        ("[" * 20_000) + ".e30.e30",
    ],
)
def test_what_is_no_signed_token_is_refused_without_a_crash(made: str) -> None:
    assert refused(made)


def test_a_huge_signature_is_refused() -> None:
    head, body, _ = token().split(".")
    assert refused(f"{head}.{body}.{'A' * 60_000}")


def test_unknown_extensions_are_refused() -> None:
    made = forged({"alg": "RS256", "crit": ["b64"], "b64": False}, USUAL)
    assert "crit" in refused(made)


@pytest.mark.parametrize(
    ("claims", "word"),
    [
        ({"iss": "https://idp.example.com/realms/other"}, "realms/other"),
        ({"iss": None}, "nobody"),
        ({"iss": [ISSUER]}, "issuer"),
        ({"aud": "another"}, "another"),
        ({"aud": None}, "aud"),
        ({"aud": []}, "aud"),
        ({"aud": {"sd-api": 1}}, "aud"),
        ({"aud": ["sd-api", "another"]}, "azp"),
        ({"azp": "another"}, "azp"),
        ({"aud": ["sd-api", "another"], "azp": "another"}, "another"),
        ({"exp": None}, "exp"),
        ({"exp": "soon"}, "exp"),
        ({"exp": True}, "exp"),
        ({"exp": int(NOW)}, "already ended"),
        ({"iat": None}, "iat"),
        ({"iat": "now"}, "iat"),
        ({"iat": int(NOW) + 300}, "300 s"),
        ({"nbf": int(NOW) + 300}, "nbf"),
    ],
)
def test_a_claim_that_does_not_fit_is_refused(claims: dict[str, Any], word: str) -> None:
    assert word in refused(token(**claims))


@pytest.mark.parametrize(
    "claims",
    [
        {"aud": ["sd-api"]},
        {"aud": ["other", "sd-api"], "azp": "sd-api"},
        {"azp": "sd-api"},
        {"iat": int(NOW) + 20},
        {"exp": NOW + 0.5},
    ],
)
def test_what_the_section_allows_is_believed(claims: dict[str, Any]) -> None:
    assert verify(token(**claims), published(RSA), expected())


def test_the_nonce_must_be_that_of_the_login() -> None:
    nonce = Secret("n-0S6")
    assert verify(token(nonce="n-0S6"), published(RSA), expected(nonce=nonce))
    for other in ("another", None, 7):
        assert "log in again" in refused(token(nonce=other), nonce=nonce)


@pytest.mark.parametrize(("alg", "size"), [("RS256", 256), ("RS384", 384), ("Ed25519", 512)])
def test_the_access_token_must_be_the_one_it_came_with(alg: str, size: int) -> None:
    digest = hashlib.new(f"sha{size}", b"access").digest()
    at_hash = base64.urlsafe_b64encode(digest[: size // 16]).decode().rstrip("=")
    made, keys = token(alg, at_hash=at_hash), published(RSA, ED)
    assert verify(made, keys, expected(access_token=Secret("access")))
    assert verify(made, keys, expected())
    assert "at_hash" in refused(made, keys, access_token=Secret("another"))


def test_without_issuer_and_keys_audience_and_end_still_count() -> None:
    made = token(key=OTHER, iss="https://anybody.example")
    assert verify(made, None, expected(issuer=None))
    assert "client_id" in refused(token(aud="another"), None, issuer=None)
    assert "ended" in refused(token(exp=int(NOW) - 1), None, issuer=None)


def test_words_of_the_token_are_shown_short_and_clean() -> None:
    said = refused(token(iss="evil\n\x1b[31m" + "x" * 5_000))
    assert "\n" not in said
    assert "\x1b" not in said
    assert len(said) < 400


@pytest.mark.parametrize(
    "key",
    [
        None,
        "key",
        {},
        {"kty": "RSA"},
        {"kty": ["RSA"], "n": "x", "e": "x"},
        {"kty": "RSA", "n": "AQAB", "e": "AQAB"},
        {"kty": "RSA", "n": "A" * 100_000, "e": "AQAB"},
        {"kty": "RSA", "n": "!" * 342, "e": "AQAB"},
        {"kty": "RSA", "n": "_" * 342, "e": "AAAA"},
        {"kty": "EC", "crv": "P-256", "x": "AQAB", "y": "AQAB"},
        {"kty": "EC", "crv": "secp0", "x": "AQAB", "y": "AQAB"},
        {"kty": "OKP", "crv": "X25519", "x": "A" * 43},
        {"kty": "RSA", "use": ["sig"], "n": "_" * 342, "e": "AQAB"},
    ],
)
def test_a_key_that_is_none_checks_nothing_and_hides_no_other(key: object) -> None:
    for alg in ("RS256", "ES256", "Ed25519"):
        listed = [key, SIGNERS[alg].as_dict(private=False)]
        good = jwks.read(answer({"keys": listed}), "x")
        assert verify(signing.encode({"alg": alg}, USUAL, SIGNERS[alg], [alg]), good, expected())
        bad = jwks.read(answer({"keys": [key]}), "x")
        assert refused(signing.encode({"alg": alg}, USUAL, SIGNERS[alg], [alg]), bad)


@pytest.mark.parametrize("body", [b"<html>", b"[]", {"keys": "none"}, {}])
def test_what_is_no_list_of_keys_is_told(body: object) -> None:
    with pytest.raises(TokenRequestError, match=r"keys|JSON"):
        jwks.read(answer(body), "https://idp.example.com")


def test_an_endless_list_of_keys_is_cut() -> None:
    listed = [RSA.as_dict(private=False)] * 1000
    assert len(jwks.read(answer({"keys": listed}), "x")) == jwks.MOST_KEYS


def forged(header: Mapping[str, Any], claims: Mapping[str, Any]) -> str:
    return f"{segment(header)}.{segment(claims)}."


def segment(value: Mapping[str, Any]) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()
