"""Reads what single grants want: redirect URIs, token types, claims, ports, cookies' names.

RFC 6749 section 3.1.2, RFC 8693 section 3, RFC 7523 section 3, RFC 6265 section 4.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Final

from proxy.config.kinds import TEXT, Kind, MisplacedError
from proxy.config.report import suggestion
from proxy.config.scalars import UnfitError, count, text, token

_URI: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[\x21-\x7e]+")
_TYPE: Final = "urn:ietf:params:oauth:token-type:"
_TYPES: Final = ("access_token", "refresh_token", "id_token", "jwt", "saml1", "saml2")
_OURS: Final = ("exp", "iat", "jti")


def _redirect_uri(value: object) -> str:
    whole = text(value)
    if not _URI.fullmatch(whole):
        raise UnfitError("must be a URI such as http://127.0.0.1:8400/callback")
    if "#" in whole:
        raise UnfitError("must not have a fragment (#)")
    return whole


def _port(value: object) -> int:
    number = count(value)
    if not 0 < number < 65536:
        raise UnfitError("must be a port from 1 to 65535; leave it out for any that is free")
    return number


def _token_type(value: object) -> str:
    """A URI, or the last word of one of RFC 8693's own."""
    word = text(value)
    if word in _TYPES:
        return _TYPE + word
    if not _URI.fullmatch(word):
        known = ", ".join(_TYPES)
        raise UnfitError(f"must be a URI, or one of {known}{suggestion(word, _TYPES)}")
    return word


def _claims(value: object) -> Mapping[str, object]:
    if not isinstance(value, dict):
        raise UnfitError("must be a mapping of claims such as iss, sub and aud")
    for name in _OURS:
        if name in value:
            raise MisplacedError(
                (name,), f"`{name}` is set anew for each assertion: leave it out", of_key=True
            )
    return value


def _cookies(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        return (token(value),)
    return tuple(token(one) for one in value)


RedirectUri = Annotated[str, Kind(_redirect_uri, {**TEXT, "format": "uri"})]
Port = Annotated[int, Kind(_port, {"type": "integer", "minimum": 1, "maximum": 65535})]
TokenType = Annotated[str, Kind(_token_type, TEXT)]
Claims = Annotated[Mapping[str, object], Kind(_claims, {"type": "object"})]
Cookies = Annotated[
    tuple[str, ...], Kind(_cookies, {"anyOf": [TEXT, {"type": "array", "items": TEXT}]})
]
