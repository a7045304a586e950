"""Which key signs an assertion, by which algorithm, and the signed JWT: RFC 7515, 7517, 7518, 8037.

Takes keys as text and says of a bad one what it is and what is needed instead, never what it
holds. Knows neither where a key stands nor what the claims mean.
"""

from __future__ import annotations

import json
import re
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from proxy.secret import Secret

if TYPE_CHECKING:
    from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey

    Key = RSAKey | ECKey | OKPKey | OctKey

SHARED: Final = ("HS256", "HS384", "HS512")
_RSA: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512")
_CURVES: Final = {
    "P-256": ("ES256",),
    "P-384": ("ES384",),
    "P-521": ("ES512",),
    "secp256k1": ("ES256K",),
    "Ed25519": ("EdDSA", "Ed25519"),
    "Ed448": ("EdDSA", "Ed448"),
}
"""By the key's curve, the algorithms it can sign with; the first is the default."""
_BLOCK: Final = re.compile(
    r"-----BEGIN ([A-Z0-9 ]*)PRIVATE KEY-----.*?-----END \1PRIVATE KEY-----", re.DOTALL
)


class KeyFormatError(ValueError):
    """A text is no key that can sign; says why as the rest of a sentence about it."""


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A parsed key with the ``alg`` and the ``kid`` of what it signs."""

    key: Key = field(repr=False)
    algorithm: str
    key_id: str | None = None


def private_key(
    text: Secret, *, algorithm: str | None = None, key_id: str | None = None
) -> SigningKey:
    """The private key in a PEM file (PKCS#8, PKCS#1, SEC 1) or in a JWK.

    Args:
        text: what the file holds.
        algorithm: None for the JWK's own, else what suits the key.
        key_id: None for the JWK's own, else none.

    Raises:
        KeyFormatError: it is none, it is encrypted, or it does not fit the algorithm.
    """
    content = text.reveal().strip()
    members = _members(content) if content.startswith("{") else None
    key = _pem(content) if members is None else _jwk(members)
    fitting = _fitting(key)
    own = members or {}
    chosen = algorithm or (own.get("alg") if own.get("alg") in fitting else fitting[0])
    if chosen not in fitting:
        raise KeyFormatError(
            f"is {_named(key)}, which can't sign {chosen}; set algorithm to"
            f" {' or '.join(fitting)}, or leave it out"
        )
    return SigningKey(key, str(chosen), key_id or own.get("kid"))


def shared_key(secret: Secret, algorithm: str = SHARED[0]) -> SigningKey:
    """A client secret as the key of an HMAC: OpenID Connect Core section 10.1.

    Raises:
        KeyFormatError: it is a public key, which everybody knows.
    """
    from joserfc.jwk import OctKey  # noqa: PLC0415 - 10 MB, for clients that sign alone

    try:
        with _silence():
            return SigningKey(OctKey.import_key(secret.reveal()), algorithm)
    except ValueError:
        raise KeyFormatError(
            "is a public key; client_secret_jwt needs the client's secret, private_key_jwt the"
            " private key"
        ) from None


def sign(claims: Mapping[str, object], key: SigningKey) -> Secret:
    """``claims`` as a JWT in compact form (RFC 7515 section 3.1).

    Raises:
        KeyFormatError: the JWK's own ``use`` or ``key_ops`` forbid to sign with it.
    """
    from joserfc import jwt  # noqa: PLC0415 - 10 MB, for clients that sign alone
    from joserfc.errors import JoseError  # noqa: PLC0415 - as above

    header = {"alg": key.algorithm} | ({"kid": key.key_id} if key.key_id else {})
    try:
        with _silence():
            return Secret(jwt.encode(header, dict(claims), key.key, algorithms=[key.algorithm]))
    except JoseError:
        raise KeyFormatError(
            "may not sign by its own `use` or `key_ops`; use a key made for signatures"
        ) from None


@contextmanager
def _silence() -> Iterator[None]:
    """Length of a secret and name of an algorithm (EdDSA, RFC 9864) are the provider's choice."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


def _members(content: str) -> dict[str, Any]:
    try:
        found = json.loads(content)
    except (ValueError, RecursionError):
        raise KeyFormatError("is neither PEM nor a JWK: its JSON is broken") from None
    if "keys" in found:
        raise KeyFormatError("is a set of JWKs; write one key of it into the file")
    return {str(name): value for name, value in found.items()}


def _jwk(members: dict[str, Any]) -> Key:
    from joserfc.jwk import ECKey, OKPKey, RSAKey  # noqa: PLC0415 - 10 MB, when signing alone

    kinds: dict[object, type[RSAKey | ECKey | OKPKey]] = {
        "RSA": RSAKey,
        "EC": ECKey,
        "OKP": OKPKey,
    }
    kind = kinds.get(str(members.get("kty")))
    if kind is None:
        raise KeyFormatError("is a JWK whose kty is not RSA, EC or OKP; make one of these")
    if "d" not in members:
        raise KeyFormatError("is a public key; the private key is needed")
    try:
        return kind.import_key(members)
    except Exception:  # noqa: BLE001 - whatever a parser throws at broken input; it may quote it
        raise KeyFormatError(f"is a JWK of kty {members['kty']} that is incomplete") from None


def _pem(content: str) -> Key:
    from joserfc.jwk import ECKey, OKPKey, RSAKey  # noqa: PLC0415 - 10 MB, when signing alone

    block = _private_block(content)
    for kind in (RSAKey, ECKey, OKPKey):
        try:
            return kind.import_key(block)
        except Exception:  # noqa: BLE001, S112 - each kind refuses the others in its own way
            continue
    raise KeyFormatError(
        "is broken, or of a kind that signs no JWT; make an RSA, EC or Ed25519 key"
    )


def _private_block(content: str) -> str:
    """The private key among what may stand beside it: parameters, a certificate."""
    found = _BLOCK.search(content)
    if found is None:
        kinds = {"CERTIFICATE": "a certificate", "PUBLIC KEY": "a public key"}
        for mark, name in kinds.items():
            if f"{mark}-----" in content:
                raise KeyFormatError(f"is {name}; the private key is needed")
        raise KeyFormatError("is neither PEM nor a JWK; a private key in one of the two is needed")
    if "ENCRYPTED" in found[0]:
        raise KeyFormatError(
            "is encrypted, and nobody is there to type its passphrase; write it without one:"
            " openssl pkey -in KEY -out PLAIN"
        )
    return found[0]


def _fitting(key: Key) -> tuple[str, ...]:
    if key.key_type == "RSA":
        return _RSA
    curve = getattr(key, "curve_name", "")
    if curve not in _CURVES:
        raise KeyFormatError(f"is {_named(key)}, which signs no JWT; make an EC or Ed25519 key")
    return _CURVES[curve]


def _named(key: Key) -> str:
    curve = getattr(key, "curve_name", "")
    return f"a key on curve {curve}" if curve else f"an {key.key_type} key"
