"""How a row of the table of causes is held against what a provider said.

What it said is only compared and never shown: it may repeat what was sent.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from proxy.config.model import Grant
from proxy.message import Answer
from proxy.oauth.body import parse
from proxy.oauth.text import description

KEYCLOAK: Final = "keycloak"
DEX: Final = "dex"
RUNAI: Final = "runai"
EGGPLANT: Final = "eggplant"
ENTRA: Final = "entra"
OKTA: Final = "okta"
AUTH0: Final = "auth0"

_LONGEST: Final = 4096


@dataclass(frozen=True, slots=True)
class Cause:
    """One row; an absent condition always holds.

    Attributes:
        name: stable, for programs.
        meaning: what is wrong.
        advice: what to do.
        provider: whose answer it is.
        status: of the answer.
        error: the ``error`` code.
        pattern: found anywhere in error, description and what else was said; any case.
        grants: what was asked for.
    """

    name: str
    meaning: str
    advice: str
    provider: str | None = None
    status: int | None = None
    error: str | None = None
    pattern: str | None = None
    grants: Collection[Grant] | None = None

    def fits(self, said: Said) -> bool:
        """Whether all conditions hold."""
        return (
            (self.provider is None or self.provider in said.providers)
            and self.status in {None, said.status}
            and self.error in {None, said.error}
            and (self.grants is None or said.grant in self.grants)
            and (self.pattern is None or bool(re.search(self.pattern, said.words, re.IGNORECASE)))
        )


@dataclass(frozen=True, slots=True)
class Said:
    """What a provider said, as far as the table looks at it."""

    providers: frozenset[str]
    status: int
    error: str
    words: str
    grant: Grant


def hear(answer: Answer, providers: frozenset[str], grant: Grant) -> Said:
    """What an answer says; not to be shown: it may repeat what was sent."""
    content: Mapping[str, Any] = parse(answer.body) or {}
    error = content.get("error")
    words = [error, content.get("error_description"), content.get("message")]
    text = " ".join(one for one in words if isinstance(one, str))[:_LONGEST]
    return Said(providers, answer.status, description(error)[:64], text, grant)


def providers_of(url: str) -> frozenset[str]:
    """Whose software may stand behind a URL, as far as its shape tells."""
    parts = urlsplit(url)
    host, path = parts.hostname or "", parts.path
    is_so = {
        RUNAI: path.endswith("/api/v1/token"),
        EGGPLANT: "eggplant" in host or "eggplant" in path,
        KEYCLOAK: "/realms/" in path,
        ENTRA: host.endswith("microsoftonline.com"),
        OKTA: host.endswith((".okta.com", ".oktapreview.com")),
        AUTH0: host.endswith(".auth0.com"),
        DEX: "/dex" in path or host.startswith("dex."),
    }
    return frozenset(name for name, holds in is_so.items() if holds)
