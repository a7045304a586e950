"""Whether an ID token may be believed: OpenID Connect Core section 3.1.3.7, a pure function.

Knows nothing of where the keys come from. No message repeats the token or a claim that is not
the provider's own name.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from proxy.oauth import jwks, jwt
from proxy.oauth.jwks import ALGORITHMS, Keys
from proxy.oauth.response import UnusableAnswerError
from proxy.oauth.text import description
from proxy.secret import Secret

LARGEST: Final = 64 << 10
"""Characters; no header takes a longer one, and nothing is decoded beyond it."""
TOLERANCE: Final = 30.0
"""Seconds that ``iat`` and ``nbf`` may lie ahead of the provider's clock."""


class UnknownKeyError(UnusableAnswerError):
    """None of the keys made the signature: there may be newer ones."""


@dataclass(frozen=True, slots=True)
class Expected:
    """What an ID token is held against.

    Attributes:
        where: the token endpoint as a message may name it: scheme, host and port.
        client_id: whom it must be for.
        now: seconds since the epoch, on the provider's clock.
        issuer: who must have issued it; None where the configuration does not say it.
        nonce: what the authorization request said; None where there was none.
        access_token: the one that came with it.
    """

    where: str
    client_id: str
    now: float
    issuer: str | None = None
    nonce: Secret | None = None
    access_token: Secret | None = None


def verify(token: str, keys: Keys | None, expected: Expected) -> Mapping[str, Any]:
    """The claims of a token that may be believed.

    Args:
        token: as it came.
        keys: the issuer's; None where nobody says where they are: then it is believed because it
            came straight from the token endpoint (number 6 of the section), and what speaks of
            another provider's client or of the past is still refused.
        expected: what it must say.

    Raises:
        UnknownKeyError: it is signed, but by none of ``keys``.
        UnusableAnswerError: anything else is wrong; the reason is ``id_token``.
    """
    header = jwt.header(token) if len(token) <= LARGEST else None
    claims = None if header is None else jwt.claims(token)
    if header is None or claims is None:
        raise _refuse(expected, _shape(token))
    _check_header(header, expected, signed=keys is not None)
    if keys is not None:
        _check_signature(token, header, keys, expected)
    _check_parties(claims, expected)
    _check_times(claims, expected)
    _check_binding(claims, header, expected)
    return claims


def _shape(token: str) -> str:
    if len(token) > LARGEST:
        return f"is longer than {LARGEST} characters"
    if token.count(".") == 4:
        return "is encrypted; have the provider sign it and not encrypt it"
    return "is no signed JWT"


def _check_header(header: Mapping[str, Any], expected: Expected, *, signed: bool) -> None:
    alg = header.get("alg")
    if not isinstance(alg, str) or alg.lower() == "none":
        raise _refuse(expected, "is not signed")
    if signed and alg not in ALGORITHMS:
        raise _refuse(
            expected,
            f"is signed by {description(alg)[:20]}, which the provider's public keys can't check;"
            " have the provider sign this client's ID tokens by RS256 or ES256",
        )
    if "crit" in header:  # RFC 7515 section 4.1.11
        raise _refuse(expected, "demands extensions (crit) that are not known here")


def _check_signature(token: str, header: Mapping[str, Any], keys: Keys, expected: Expected) -> None:
    fitting = jwks.candidates(keys, header)
    if not fitting or not jwks.is_signed(token, fitting, header["alg"]):
        what = "its signature is wrong" if fitting else "none of the provider's keys signed it"
        raise UnknownKeyError(
            f"{_begin(expected)} can't be believed: {what}; check issuer and jwks_url",
            reason="id_token",
        )


def _check_parties(claims: Mapping[str, Any], expected: Expected) -> None:
    """Who issued it and for whom: numbers 2 to 5."""
    if expected.issuer is not None and claims.get("iss") != expected.issuer:
        raise _refuse(expected, f"is of issuer {_shown(claims.get('iss'))}; check issuer")
    audience = claims.get("aud")
    listed = audience if isinstance(audience, list) else [audience]
    if expected.client_id not in listed:
        shown = ", ".join(map(_shown, listed[:5]))
        raise _refuse(expected, f"is for {shown} (aud) and not for this client; check client_id")
    party = claims.get("azp")
    if party != expected.client_id and (party is not None or len(listed) > 1):
        raise _refuse(
            expected,
            f"was issued to {_shown(party)} (azp) and not to this client; check client_id",
        )


def _check_times(claims: Mapping[str, Any], expected: Expected) -> None:
    """Numbers 9 and 10: on the provider's clock, since the provider wrote it."""
    end = jwt.expiry(claims)
    if end is None:
        raise _refuse(expected, "does not say when it ends (exp)")
    if end <= expected.now:
        raise _refuse(expected, "has already ended (exp); compare the clocks")
    for name in ("iat", "nbf"):
        begin = claims.get(name)
        if begin is None and name == "nbf":
            continue
        if isinstance(begin, bool) or not isinstance(begin, int | float):
            # Some that are no OpenID providers leave iat out; nothing hangs on it without a nonce.
            if begin is None and expected.issuer is None:
                continue
            raise _refuse(expected, f"has no usable {name}")
        if begin > expected.now + TOLERANCE:
            ahead = min(begin - expected.now, 1e9)
            raise _refuse(expected, f"begins {ahead:.0f} s from now ({name}); compare the clocks")


def _check_binding(
    claims: Mapping[str, Any], header: Mapping[str, Any], expected: Expected
) -> None:
    """Number 11, and section 3.1.3.8: the login and the access token that it belongs to."""
    if expected.nonce is not None and not _same(claims.get("nonce"), expected.nonce.reveal()):
        raise _refuse(expected, "does not belong to this login (nonce); log in again")
    said = claims.get("at_hash")
    if said is None or expected.access_token is None:
        return
    hashed = _left_half(expected.access_token.reveal(), str(header["alg"]))
    if hashed is not None and not _same(said, hashed):
        raise _refuse(expected, "does not belong to the access token that came with it (at_hash)")


def _left_half(access_token: str, alg: str) -> str | None:
    """What ``at_hash`` must be, or None for an algorithm without a hash that is known here."""
    size = "512" if alg in {"EdDSA", "Ed25519"} else alg[-3:]
    if size not in {"256", "384", "512"}:
        return None
    digest = hashlib.new(f"sha{size}", access_token.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest[: len(digest) // 2]).rstrip(b"=").decode("ascii")


def _same(said: object, wanted: str) -> bool:
    return isinstance(said, str) and hmac.compare_digest(said.encode(), wanted.encode())


def _shown(claim: object) -> str:
    return description(claim)[:100] or "nobody"


def _begin(expected: Expected) -> str:
    return f"the ID token that {expected.where} sent"


def _refuse(expected: Expected, what: str) -> UnusableAnswerError:
    return UnusableAnswerError(f"{_begin(expected)} {what}", reason="id_token")
