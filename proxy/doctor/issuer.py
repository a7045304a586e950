"""Why there is no discovery document, for providers whose addresses follow a pattern.

Keycloak had ``/auth`` before ``/realms`` up to version 16 and wherever it is configured still:
both are tried, and a missing realm is told from a missing server.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from proxy.errors import TokenRequestError
from proxy.idp.endpoint import Sender
from proxy.message import Request
from proxy.oauth.body import parse

_KEYCLOAK: Final = re.compile(r"(?P<root>https?://[^/]+)(?P<prefix>/.*)?/realms/(?P<realm>[^/]+)")
_PREFIXES: Final = ("/auth", "")
DOCUMENT: Final = "/.well-known/openid-configuration"


@dataclass(frozen=True, slots=True)
class Elsewhere:
    """What is wrong with the address, and the right one."""

    cause: str
    told: str
    advice: str


async def look_for(url: str, sender: Sender) -> Elsewhere | None:
    """What Keycloak says at the addresses that may have been meant; None where it says nothing.

    Args:
        url: an issuer or an endpoint below it.
        sender: asks; it gets requests without any secret.
    """
    found = _KEYCLOAK.match(url)
    if found is None:
        return None
    root, prefix, realm = found["root"], found["prefix"] or "", found["realm"]
    for other in dict.fromkeys((prefix, *_PREFIXES)):
        place = f"{root}{other}/realms/{realm}"
        issuer = await _document(place, sender)
        if issuer is not None and other != prefix:
            return _prefixed(place, prefix, other)
        if issuer is None and await _is_keycloak(f"{root}{other}", sender):
            return _without_realm(realm, prefix, other)
    return None


async def _document(place: str, sender: Sender) -> str | None:
    content = await _get(place + DOCUMENT, sender)
    said = None if content is None else content.get("issuer")
    return said if isinstance(said, str) else None


async def _is_keycloak(base: str, sender: Sender) -> bool:
    """Whether there is a realm ``master``: every Keycloak has it."""
    content = await _get(f"{base}/realms/master", sender)
    return content is not None and content.get("realm") == "master"


async def _get(url: str, sender: Sender) -> dict[str, object] | None:
    try:
        answer = await sender.send(Request("GET", url, {"Accept": "application/json"}))
    except TokenRequestError:
        return None
    content = parse(answer.body) if answer.status == 200 else None
    return None if content is None else dict(content)


def _prefixed(place: str, prefix: str, other: str) -> Elsewhere:
    if prefix == "/auth" and not other:
        what = "there is no /auth before /realms on this Keycloak (it is gone since version 17)"
    elif not prefix:
        what = "this Keycloak has /auth before /realms"
    else:
        what = f"this Keycloak's realms are not below {prefix}"
    return Elsewhere("auth_prefix", what, f"use {place}")


def _without_realm(realm: str, prefix: str, other: str) -> Elsewhere:
    told = f"Keycloak runs here but has no realm “{realm}”"
    also = "" if prefix == other else f"; besides, its realms are below {other or '/'}/realms"
    return Elsewhere(
        "realm_unknown",
        told + also.replace("//", "/"),
        "check the realm in issuer or token_url: upper and lower case matter",
    )
