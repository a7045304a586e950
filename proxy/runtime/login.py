"""``token-sidecar login``: a person's login, kept in the store for every sidecar that shares it.

Puts provider, person and store together; nothing stored changes before the login is complete.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Final

from proxy.clock import Clock
from proxy.config import model
from proxy.errors import LoginError
from proxy.idp.login import CodeLogin, DeviceLogin
from proxy.idp.requests import TokenRequests
from proxy.runtime.browser_login import BrowserLogin
from proxy.runtime.online import describe
from proxy.runtime.outcome import Obtained
from proxy.runtime.person import Person
from proxy.runtime.workplace import workplace
from proxy.tokens.ports import Entry, TokenStore
from proxy.tokens.token import Token

RANDOM_BYTES: Final = 32
"""43 characters: the least that a verifier may have (RFC 7636 section 4.1), 256 bits."""


@dataclass(frozen=True, slots=True)
class LoggedIn:
    """What came of a login; ``renews``: without another one, as long as the provider allows."""

    obtained: Obtained
    renews: bool


@dataclass(frozen=True, slots=True)
class Manner:
    """How the person wants it: bringing the answer by hand, and within so many seconds."""

    paste: bool = False
    patience: float = 300.0


async def log_in(
    config: model.Config, name: str, person: Person, manner: Manner, environ: Mapping[str, str]
) -> LoggedIn:
    """Have ``person`` log in for the credential ``name``, and keep what comes.

    Raises:
        ConfigurationError: tokens are kept in memory, so that a login would be for nothing.
        SecretError: a secret of the client can't be read.
        StoreError: what comes could not be kept.
        StartError: nothing can listen where the redirect would arrive.
        TokenRequestError: the provider gives no token.
        LoginError: the person did not complete it.
    """
    async with workplace(config, name, environ, person.complain) as place:
        # Whether it can be kept is better known before a person does all that.
        await place.store.load(place.identity)
        if place.requests is None:
            raise ValueError("a credential that no person logs in for")
        token = await _token(place.credential, place.requests, place.clock, person, manner)
        await keep(place.store, place.identity, token)
        return LoggedIn(describe(place.credential, token), renews=token.refresh is not None)


async def keep(store: TokenStore, identity: str, token: Token) -> None:
    """Replace whatever was stored: from now on this login is what serves and is renewed."""
    async with store.lock(identity):
        before = await store.load(identity)
        await store.save(
            identity,
            Entry(
                token=replace(token, refresh=None),
                generation=before.generation + 1,
                refresh=token.refresh,
                rejected=before.generation,
            ),
        )


async def _token(
    credential: model.Credential,
    requests: TokenRequests,
    clock: Clock,
    person: Person,
    manner: Manner,
) -> Token:
    if credential.grant is model.Grant.DEVICE_CODE:
        return await _by_device(DeviceLogin(requests, clock), person, manner.patience)
    login = CodeLogin(requests, lambda: secrets.token_urlsafe(RANDOM_BYTES))
    paste = manner.paste or credential.paste
    return await BrowserLogin(
        credential, login, person, paste=paste, patience=manner.patience
    ).token()


async def _by_device(login: DeviceLogin, person: Person, patience: float) -> Token:
    shown = await login.begin()
    person.show_code(shown)
    try:
        async with asyncio.timeout(patience):
            return await login.finish(shown)
    except TimeoutError:
        raise LoginError(
            f"the code was not used within {patience:g} s: log in again, with --timeout if it"
            " takes longer"
        ) from None
