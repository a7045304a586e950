from __future__ import annotations

import base64
import hmac
import json
import traceback

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed448, ed25519, rsa, x25519
from joserfc import jwt
from joserfc.jwk import ECKey, OKPKey, RSAKey

from proxy.oauth.signing import KeyFormatError, private_key, shared_key, sign
from proxy.secret import Secret

PKCS8 = serialization.PrivateFormat.PKCS8
TRADITIONAL = serialization.PrivateFormat.TraditionalOpenSSL
RSA = rsa.generate_private_key(65537, 2048)
P256 = ec.generate_private_key(ec.SECP256R1())
ED25519 = ed25519.Ed25519PrivateKey.generate()
PARAMETERS = "-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n"
CERTIFICATE = "-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----\n"


def pem(key, form=PKCS8, password: bytes | None = None) -> str:
    hidden = (
        serialization.BestAvailableEncryption(password)
        if password
        else serialization.NoEncryption()
    )
    return key.private_bytes(serialization.Encoding.PEM, form, hidden).decode()


def public(key) -> str:
    form = serialization.PublicFormat.SubjectPublicKeyInfo
    return key.public_key().public_bytes(serialization.Encoding.PEM, form).decode()


def jwk(key, **members: str) -> str:
    return json.dumps({**key.as_dict(private=True), **members})


@pytest.mark.filterwarnings("ignore:EdDSA is deprecated")  # by the reader; providers know no other
@pytest.mark.parametrize(
    ("text", "algorithm", "kind"),
    [
        (pem(RSA), "RS256", RSAKey),
        (pem(RSA, TRADITIONAL), "RS256", RSAKey),
        (CERTIFICATE + pem(RSA), "RS256", RSAKey),
        (pem(P256), "ES256", ECKey),
        (pem(P256, TRADITIONAL), "ES256", ECKey),
        (PARAMETERS + pem(P256, TRADITIONAL), "ES256", ECKey),
        (pem(ec.generate_private_key(ec.SECP384R1())), "ES384", ECKey),
        (pem(ec.generate_private_key(ec.SECP521R1())), "ES512", ECKey),
        (pem(ED25519), "EdDSA", OKPKey),
        (pem(ed448.Ed448PrivateKey.generate()), "EdDSA", OKPKey),
        (jwk(RSAKey.generate_key(2048)), "RS256", RSAKey),
        (jwk(ECKey.generate_key("P-256")), "ES256", ECKey),
        (jwk(OKPKey.generate_key("Ed25519")), "EdDSA", OKPKey),
        (jwk(ECKey.generate_key("secp256k1")), "ES256K", ECKey),
    ],
)
def test_each_kind_of_key_signs_by_the_algorithm_that_suits_it(
    text: str, algorithm: str, kind: type
) -> None:
    key = private_key(Secret(text))
    assert isinstance(key.key, kind)
    assert (key.algorithm, key.key_id) == (algorithm, None)
    token = sign({"iss": "me"}, key).reveal()
    assert jwt.decode(token, key.key, algorithms=[algorithm]).claims == {"iss": "me"}


@pytest.mark.parametrize("algorithm", ["RS384", "PS256"])
def test_a_chosen_algorithm_and_key_id_go_into_the_header(algorithm: str) -> None:
    key = private_key(Secret(pem(RSA)), algorithm=algorithm, key_id="k1")
    read = jwt.decode(sign({}, key).reveal(), key.key, algorithms=[algorithm])
    assert read.header == {"typ": "JWT", "alg": algorithm, "kid": "k1"}


def test_a_jwk_brings_its_own_algorithm_and_key_id_which_settings_override() -> None:
    text = Secret(jwk(RSAKey.generate_key(2048), alg="PS384", kid="own"))
    own, other = private_key(text), private_key(text, algorithm="RS256", key_id="set")
    assert (own.algorithm, own.key_id) == ("PS384", "own")
    assert (other.algorithm, other.key_id) == ("RS256", "set")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (pem(RSA, password=b"canary"), "is encrypted.*without one: openssl pkey"),
        (pem(RSA, TRADITIONAL, password=b"canary"), "is encrypted"),
        (public(RSA), "is a public key; the private key is needed"),
        (CERTIFICATE, "is a certificate; the private key is needed"),
        (json.dumps(RSAKey.generate_key(2048).as_dict(private=False)), "is a public key"),
        (json.dumps({"keys": []}), "is a set of JWKs"),
        (json.dumps({"kty": "RSA", "d": "canary"}), "kty RSA that is incomplete"),
        (json.dumps({"kty": "oct", "k": "canary"}), "kty is not RSA, EC or OKP"),
        ("{canary", "its JSON is broken"),
        ("canary", "is neither PEM nor a JWK"),
        (pem(dsa.generate_private_key(1024)), "of a kind that signs no JWT"),
        (pem(x25519.X25519PrivateKey.generate()), "a key on curve X25519, which signs no JWT"),
        ("-----BEGIN PRIVATE KEY-----\ncanary\n-----END PRIVATE KEY-----", "is broken"),
    ],
)
def test_a_text_that_is_no_signing_key_is_explained_and_not_shown(text: str, said: str) -> None:
    with pytest.raises(KeyFormatError, match=said) as caught:
        private_key(Secret(text))
    shown = "".join(traceback.format_exception(caught.value))
    assert "canary" not in f"{caught.value!r}"
    assert text not in shown


def test_a_key_that_cannot_sign_the_chosen_algorithm_names_those_it_can() -> None:
    with pytest.raises(KeyFormatError, match=r"an RSA key, which can't sign ES256.*RS256 or RS384"):
        private_key(Secret(pem(RSA)), algorithm="ES256")
    with pytest.raises(KeyFormatError, match=r"curve P-256, which can't sign RS256.* ES256, or"):
        private_key(Secret(pem(P256)), algorithm="RS256")


def test_a_key_meant_for_encryption_signs_nothing() -> None:
    key = private_key(Secret(jwk(RSAKey.generate_key(2048), use="enc")))
    with pytest.raises(KeyFormatError, match="its own `use` or `key_ops`"):
        sign({}, key)


@pytest.mark.parametrize("secret", ["short", "a secret of the client", "p\u00e9 -----BEGIN "])
def test_a_client_secret_is_the_key_of_an_hmac_however_short(secret: str) -> None:
    token = sign({"iss": "me"}, shared_key(Secret(secret))).reveal()
    head, _, signature = token.rpartition(".")
    expected = hmac.digest(secret.encode(), head.encode(), "sha256")
    assert base64.urlsafe_b64encode(expected).rstrip(b"=").decode() == signature


def test_a_public_key_is_no_shared_secret() -> None:
    with pytest.raises(KeyFormatError, match="private_key_jwt"):
        shared_key(Secret(public(RSA)))


def test_no_key_shows_in_a_repr() -> None:
    text = jwk(OKPKey.generate_key("Ed25519"))
    assert json.loads(text)["d"] not in repr(private_key(Secret(text)))
