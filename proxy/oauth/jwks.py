"""A provider's public keys (RFC 7517), and whether one of them made a JWT's signature (RFC 7515).

Decides which key may have signed what, so that no key is used for an algorithm it is not for.
The library is imported only when there is a signature to check.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from proxy.errors import Failure, TokenRequestError
from proxy.message import Answer
from proxy.oauth import jwt
from proxy.oauth.body import json_object

ALGORITHMS: Final = {
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    **dict.fromkeys(("EdDSA", "Ed25519"), "OKP"),
}
"""What an ID token may be signed with, and the type of key for it: no ``none``, no HMAC."""

MOST_KEYS: Final = 100
_MEMBERS: Final = {"RSA": ("n", "e"), "EC": ("crv", "x", "y"), "OKP": ("crv", "x")}
_LONGEST_MEMBER: Final = 2731  # an RSA modulus of 16384 bits, the longest that OpenSSL takes
_SHORTEST_MODULUS: Final = 342  # 2048 bits: RFC 7518 section 3.3


@dataclass(frozen=True, slots=True)
class PublicKey:
    """One key that may check signatures; ``members`` are its public ones alone."""

    kty: str
    kid: str | None
    alg: str | None
    members: Mapping[str, str] = field(repr=False)


Keys = tuple[PublicKey, ...]


def read(answer: Answer, where: str) -> Keys:
    """The keys in an answer; what is no signature key of a known type is left out.

    Raises:
        TokenRequestError: no JSON object with a list of keys came.
    """
    if answer.status != 200:
        raise _unusable(f"{where} answered {answer.status} when asked for its keys", answer.status)
    listed = json_object(answer, where, "where its keys are").get("keys")
    if not isinstance(listed, list):
        raise _unusable(f"{where} sent no list of keys", answer.status)
    return tuple(filter(None, map(_public_key, listed[:MOST_KEYS])))


def candidates(keys: Keys, header: Mapping[str, Any]) -> Keys:
    """The keys that may have signed under this header: RFC 7515 section 4.1.4."""
    alg, kid = header.get("alg"), header.get("kid")
    kty = ALGORITHMS.get(alg) if isinstance(alg, str) else None
    return tuple(
        key
        for key in keys
        if key.kty == kty and key.alg in {None, alg} and (kid is None or key.kid == kid)
    )


def is_signed(token: str, keys: Iterable[PublicKey], alg: str) -> bool:
    """Whether one of ``keys`` made the signature of ``token`` by ``alg`` of ``ALGORITHMS``."""
    signed, _, signature = token.rpartition(".")
    made = jwt.decoded(signature)
    if made is None:
        return False
    return any(_verifies(signed.encode("ascii"), made, key, alg) for key in keys)


def _verifies(signed: bytes, signature: bytes, key: PublicKey, alg: str) -> bool:
    # Wherever no ID token is used these 15 MB are never loaded.
    from joserfc.errors import JoseError  # noqa: PLC0415
    from joserfc.jwk import JWKRegistry  # noqa: PLC0415
    from joserfc.jws import JWSRegistry  # noqa: PLC0415

    model = JWSRegistry.algorithms[alg]
    try:
        public = JWKRegistry.import_key({"kty": key.kty, **key.members})
        model.check_key(public)
        return model.verify(signed, signature, public)
    except (JoseError, ValueError, TypeError, LookupError):
        return False  # a key that is none


def _public_key(value: object) -> PublicKey | None:
    if not isinstance(value, dict) or value.get("use") not in (None, "sig"):
        return None
    kty, kid, alg = (value.get(name) for name in ("kty", "kid", "alg"))
    names = _MEMBERS.get(kty, ()) if isinstance(kty, str) else ()
    members = {name: one for name in names if (one := _member(value.get(name)))}
    if not names or len(members) < len(names) or (kty == "RSA" and _is_weak(members)):
        return None
    return PublicKey(str(kty), _text(kid), _text(alg), members)


def _member(value: object) -> str:
    text = _text(value) or ""
    return text if text.isascii() and len(text) <= _LONGEST_MEMBER else ""


def _is_weak(members: Mapping[str, str]) -> bool:
    return len(members["n"].rstrip("=")) < _SHORTEST_MODULUS or len(members["e"]) > 12


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _unusable(what: str, status: int) -> TokenRequestError:
    return TokenRequestError(
        f"{what}; check jwks_url", failure=Failure.TRANSIENT, reason=f"http_{status}"
    )
