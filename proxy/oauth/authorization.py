"""Where a person's browser is sent: RFC 6749 section 4.1.1 with PKCE S256 (RFC 7636), state, nonce.

Decides what the request says and what has to come back; reads no answer and opens no browser.
"""

from __future__ import annotations

import hmac
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import parse_qsl, urlsplit, urlunsplit

from authlib.common.urls import add_params_to_qs
from authlib.oauth2.rfc7636 import create_s256_code_challenge

from proxy.errors import Failure, TokenRequestError
from proxy.message import Answer
from proxy.oauth import jwt
from proxy.oauth.body import parse
from proxy.oauth.circumstances import Circumstances
from proxy.oauth.request import Wish
from proxy.secret import Secret

OPENID: Final = "openid"


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """One request, for one login; nothing of it is used again.

    Attributes:
        url: for the browser. It holds ``state``: shown to the person alone.
        redirect_uri: said again, letter by letter, with the code.
        state: comes back with the answer (RFC 6749 section 10.12).
        verifier: without it the code is worth nothing (RFC 7636).
        nonce: comes back inside an ID token; None where none was asked for.
        issuer: whose answer it has to be, None where nobody knows.
        names_itself: the answer must carry ``iss`` (RFC 9207 section 2.4).
    """

    url: str = field(repr=False)
    redirect_uri: str
    state: Secret
    verifier: Secret
    nonce: Secret | None = None
    issuer: str | None = None
    names_itself: bool = False


def authorization_request(
    endpoint: str,
    client_id: str,
    wish: Wish,
    redirect_uri: str,
    draw: Callable[[], str],
    *,
    issuer: str | None = None,
    names_itself: bool = False,
) -> AuthorizationRequest:
    """A new request.

    Args:
        endpoint: may have a query, which stays (RFC 6749 section 3.1).
        client_id: who asks.
        wish: for what; its params go along, but never in place of what is decided here.
        redirect_uri: where the answer goes, as registered with the provider.
        draw: gives 43 to 128 unreserved characters that nobody can guess, new ones each time.
        issuer: whose answer it has to be, where that is known.
        names_itself: whether the answer must carry ``iss``.
    """
    state, verifier = draw(), draw()
    nonce = draw() if OPENID in (wish.scope or "").split() else None
    own = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": wish.scope,
        "state": state,
        "nonce": nonce,
        "code_challenge": create_s256_code_challenge(verifier),
        "code_challenge_method": "S256",
    }
    return AuthorizationRequest(
        url=_extended(endpoint, own, wish.extras()),
        redirect_uri=redirect_uri,
        state=Secret(state),
        verifier=Secret(verifier),
        nonce=None if nonce is None else Secret(nonce),
        issuer=issuer,
        names_itself=names_itself,
    )


def _extended(endpoint: str, own: dict[str, str | None], more: list[tuple[str, str]]) -> str:
    """No parameter may be there twice (section 3.1), so ours displace what has their names."""
    parts = urlsplit(endpoint)
    before = parse_qsl(parts.query, keep_blank_values=True)
    kept = [(name, value) for name, value in before if name not in own]
    said = [(name, value) for name, value in own.items() if value]
    further = [(name, value) for name, value in more if name not in own]
    query: str = add_params_to_qs("", [*kept, *said, *further])
    return urlunsplit((parts.scheme, parts.netloc, parts.path, query, ""))


def check_nonce(answer: Answer, nonce: Secret | None, about: Circumstances) -> None:
    """An ID token that came for the code must be of this login (OpenID Connect Core 3.1.3.7).

    Raises:
        TokenRequestError: it carries another nonce or none: somebody may have put in a code that
            is not this person's.
    """
    id_token = (parse(answer.body) or {}).get("id_token")
    if nonce is None or not isinstance(id_token, str):
        return
    said = (jwt.claims(id_token) or {}).get("nonce")
    if not isinstance(said, str) or not same(said, nonce.reveal()):
        raise TokenRequestError(
            f"the ID token of {about.where} was made for another login: its nonce is not the one"
            " that was sent; nothing was kept; log in again",
            failure=Failure.TERMINAL,
            reason="nonce",
        )


def same(said: str, ours: str) -> bool:
    """Whether both are one, in constant time; what is no UTF-8 never is."""
    return hmac.compare_digest(said.encode(errors="replace"), ours.encode())
