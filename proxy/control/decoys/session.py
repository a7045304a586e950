"""A login page as Dex has it, for Seldon's ``SessionAuthenticator``, and the cookie it wants.

The SDK gets the server's address, goes where it is sent, posts ``login`` and ``password`` there as
multipart, and takes the answer's ``Set-Cookie`` as it is.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final
from urllib.parse import urlsplit

from proxy.control.decoys.form import said
from proxy.control.decoys.mint import Mint
from proxy.control.decoys.places import Here, Places
from proxy.control.decoys.telling import PAGE, page
from proxy.control.decoys.users import client, user
from proxy.plane.local import Asked, Told

COOKIE: Final = "token_sidecar_session"
USE: Final = "Session"
LOGIN: Final = (".token-sidecar", "login")
FORM: Final = (
    "<form method=post enctype=multipart/form-data><label>Login <input name=login></label>"
    " <label>Password <input name=password type=password></label> <button>Log in</button></form>"
)


@dataclass(frozen=True, slots=True)
class SignIn:
    """A sign-in on one route; see ``openid.Provider`` for the attributes."""

    mint: Mint
    allowed: frozenset[str] | None
    lifetime: int

    def elsewhere(self, asked: Asked) -> Told:
        """The server's address itself leads to the page."""
        path = urlsplit(asked.base).path + "/".join(LOGIN)
        return Told(302, PAGE, b"", (("Location", path),))

    def form(self, _asked: Asked) -> Told:
        """The page."""
        return page("token-sidecar", FORM)

    def posted(self, asked: Asked) -> Told:
        """The cookie."""
        form = said(asked)
        who = client(self.mint, self.allowed, asked, form)
        person = user(asked.token, form)
        decoy = self.mint.issue(USE, self.lifetime, issuer=asked.base, client=who, user=person)
        attributes = f"Path=/; Max-Age={self.lifetime}; HttpOnly; SameSite=Strict"
        cookie = ("Set-Cookie", f"{COOKIE}={decoy}; {attributes}")
        return replace(page("Logged in", "", fields=(cookie,)), client=who)


def exact(sign_in: SignIn) -> Places:
    """The places by their whole paths: the route's own, and the page."""
    at = tuple(part.encode() for part in LOGIN)
    return {
        (b"GET", (b"",)): Here(sign_in.elsewhere),
        (b"GET", at): Here(sign_in.form),
        (b"POST", at): Here(sign_in.posted),
    }


def ends(sign_in: SignIn) -> Places:
    """The SDK's ``host``, which ends in the API's version, is no place of the API's own."""
    return {(b"GET", (b"api", b"v1alpha1")): Here(sign_in.elsewhere)}
