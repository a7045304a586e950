"""Run:ai's own token endpoint, as its SDK and its documentation speak to it (JSON both ways)."""

from __future__ import annotations

from dataclasses import dataclass

from proxy.control.decoys.form import said
from proxy.control.decoys.mint import Mint
from proxy.control.decoys.openid import BEARER
from proxy.control.decoys.places import Here, Places
from proxy.control.decoys.telling import told
from proxy.control.decoys.users import client, user
from proxy.plane.local import Asked, Told


@dataclass(frozen=True, slots=True)
class Endpoint:
    """``POST /api/v1/token``; see ``openid.Provider`` for the attributes."""

    mint: Mint
    allowed: frozenset[str] | None
    lifetime: int

    def token(self, asked: Asked) -> Told:
        """``accessToken``, which the SDK decodes for its ``exp``."""
        form = said(asked)
        who = client(self.mint, self.allowed, asked, form)
        person = user(asked.token, form)
        decoy = self.mint.issue(BEARER, self.lifetime, issuer=asked.base, client=who, user=person)
        answer = {"accessToken": decoy, "expiresIn": self.lifetime, "tokenType": BEARER}
        return told(answer, client=who)


def places(endpoint: Endpoint) -> Places:
    """The one place."""
    return {(b"POST", (b"api", b"v1", b"token")): Here(endpoint.token, wants_token=True)}
