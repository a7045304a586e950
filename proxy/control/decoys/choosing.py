"""Whose SDK logs in: what is answered for it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from proxy.config.model import SdkLogin
from proxy.control.decoys import openid, runai, session
from proxy.control.decoys.mint import Mint
from proxy.control.decoys.places import Decoys

HOUR: Final = 3600
"""Seconds that a decoy lasts for SDKs that log in again before its end."""


def decoys(login: SdkLogin, mint: Mint, allowed: frozenset[str] | None) -> Decoys:
    """What is answered on a route; ``allowed``: the clients it serves, None for all."""
    return _MAKERS[login](mint, allowed)


def _wallaroo(mint: Mint, allowed: frozenset[str] | None) -> Decoys:
    # its client reads the platform's settings without showing anything
    provider = openid.Provider(mint, allowed, HOUR)
    settings = ((b"v1", b"api", b"config"),)
    return Decoys(mint, (openid.BEARER,), openid.places(provider), {}, settings)


def _seldon(mint: Mint, allowed: frozenset[str] | None) -> Decoys:
    # its client does not refresh, and would log in again only after a 401
    provider = openid.Provider(mint, allowed, openid.MONTH)
    return Decoys(mint, (openid.IDENTITY, openid.BEARER), openid.places(provider), {})


def _session(mint: Mint, allowed: frozenset[str] | None) -> Decoys:
    sign_in = session.SignIn(mint, allowed, openid.MONTH)
    return Decoys(
        mint,
        (session.USE,),
        session.ends(sign_in),
        session.exact(sign_in),
        cookie=session.COOKIE.encode(),
    )


def _runai(mint: Mint, allowed: frozenset[str] | None) -> Decoys:
    own = runai.places(runai.Endpoint(mint, allowed, HOUR))
    realm = openid.places(openid.Provider(mint, allowed, HOUR))
    return Decoys(mint, (openid.BEARER, openid.IDENTITY), {**own, **realm}, {})


_MAKERS: Final[dict[SdkLogin, Callable[[Mint, frozenset[str] | None], Decoys]]] = {
    SdkLogin.WALLAROO: _wallaroo,
    SdkLogin.SELDON: _seldon,
    SdkLogin.SELDON_SESSION: _session,
    SdkLogin.RUNAI: _runai,
}
