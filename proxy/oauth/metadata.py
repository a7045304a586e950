"""Authorization server metadata: OpenID Connect Discovery 1.0 section 4, RFC 8414 section 3.

Says where an issuer's document may be and what in it is believed; fetches nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import urlsplit

from authlib.oauth2 import rfc8414
from authlib.oidc import discovery

from proxy.errors import Failure, TokenRequestError
from proxy.message import Answer, Request, is_loopback, origin
from proxy.oauth.body import json_object, parse

_FURTHER: Final = (
    "authorization_endpoint",
    "device_authorization_endpoint",
    "revocation_endpoint",
    "jwks_uri",
)

_ALIASED: Final = ("token_endpoint", "device_authorization_endpoint", "revocation_endpoint")
"""Where a client shows who it is; a browser goes to the others."""


@dataclass(frozen=True, slots=True)
class Metadata:
    """What is used of an issuer's document.

    Attributes:
        names_itself: answers to an authorization request carry ``iss`` (RFC 9207 section 3).
    """

    issuer: str
    token_endpoint: str
    authorization_endpoint: str | None = None
    device_authorization_endpoint: str | None = None
    revocation_endpoint: str | None = None
    jwks_uri: str | None = None
    names_itself: bool = False


def requests(issuer: str) -> tuple[Request, Request]:
    """Where to ask, in order: OpenID Connect's place, then RFC 8414's."""
    urls = (
        discovery.get_well_known_url(issuer, external=True),
        # Section 3.1 takes a terminating slash away first.
        rfc8414.get_well_known_url(issuer.rstrip("/"), external=True),
    )
    first, second = (Request("GET", url, {"Accept": "application/json"}) for url in urls)
    return first, second


def is_present(answer: Answer) -> bool:
    """Whether the place that was asked has a document, good or bad."""
    return answer.status == HTTPStatus.OK and parse(answer.body) is not None


def read(
    answer: Answer, issuer: str, *, allow_insecure: bool = False, with_certificate: bool = False
) -> Metadata:
    """The metadata in an answer; ``with_certificate``: for a client that shows one.

    Raises:
        TokenRequestError: there is none, it is no JSON object, speaks for another issuer
            (RFC 8414 section 3.3, OpenID Connect Discovery section 4.3), or names no token
            endpoint that may be used.
    """
    where = origin(issuer)
    if answer.status != HTTPStatus.OK:
        raise _absent(answer, issuer)
    content = json_object(answer, where)
    _check_issuer(content.get("issuer"), issuer)
    if with_certificate:
        content = _aliased(content)
    token_endpoint = _endpoint(content, "token_endpoint", where, allow_insecure=allow_insecure)
    if token_endpoint is None:
        raise _distrust(f"the discovery document of {where} names no token_endpoint; set token_url")
    further = {
        name: _endpoint(content, name, where, allow_insecure=allow_insecure) for name in _FURTHER
    }
    return Metadata(
        issuer,
        token_endpoint,
        **further,
        names_itself=content.get("authorization_response_iss_parameter_supported") is True,
    )


def _aliased(content: Mapping[str, Any]) -> Mapping[str, Any]:
    """With the endpoints for clients that show a certificate (RFC 8705 section 5)."""
    aliases = content.get("mtls_endpoint_aliases")
    if not isinstance(aliases, dict):
        return content
    return {**content, **{name: aliases[name] for name in _ALIASED if aliases.get(name)}}


def _absent(answer: Answer, issuer: str) -> TokenRequestError:
    server_fault = answer.status >= HTTPStatus.INTERNAL_SERVER_ERROR
    return TokenRequestError(
        f"no discovery document for issuer {_shown(issuer)}: the last place answered"
        f" {answer.status}; check issuer, or set token_url",
        failure=Failure.TRANSIENT if server_fault else Failure.SLOW,
        reason=f"http_{answer.status}",
    )


def _check_issuer(said: object, issuer: str) -> None:
    if said == issuer:
        return
    other = _shown(said) if isinstance(said, str) else "no issuer"
    raise _distrust(
        f"the discovery document of {_shown(issuer)} says it is of {other};"
        " set issuer to exactly what the provider calls itself"
    )


def _endpoint(
    content: Mapping[str, Any], name: str, where: str, *, allow_insecure: bool
) -> str | None:
    """The URL under ``name``, or None where there is none; one that can't be used is refused."""
    url = content.get(name)
    if url is None:
        return None
    try:
        scheme, host = _split(url)
    except ValueError:
        scheme, host = "", None
    if not host or scheme not in {"https", "http"}:
        raise _distrust(f"the {name} in the discovery document of {where} is no URL")
    if scheme == "http" and not (allow_insecure or is_loopback(host)):
        raise _distrust(
            f"the discovery document of {where} names a {name} without https: {origin(url)}"
        )
    return str(url)


def _split(url: object) -> tuple[str, str | None]:
    if not isinstance(url, str) or not url.isascii() or not url.isprintable():
        raise ValueError(url)
    parts = urlsplit(url)
    if "@" in parts.netloc or parts.port == 0:
        raise ValueError(url)
    return parts.scheme, parts.hostname


def _shown(url: str) -> str:
    """A URL as a message may show it: visible ASCII, cut, no userinfo, no query."""
    parts = url.partition("?")[0]
    clean = "".join(letter for letter in parts if letter.isascii() and letter.isprintable())
    scheme, mark, rest = clean[:200].partition("://")
    authority, slash, path = rest.partition("/")
    return f"{scheme}{mark}{authority.rpartition('@')[2]}{slash}{path}"


def _distrust(message: str) -> TokenRequestError:
    return TokenRequestError(message, failure=Failure.SLOW, reason="discovery")
