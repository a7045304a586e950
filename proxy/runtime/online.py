"""Asks every provider for a token once and tells what came, never the token itself.

What a person's login left in the store is looked at and left as it is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Final

from proxy.clock import Clock, SystemClock
from proxy.config import model
from proxy.errors import TokenRequestError
from proxy.idp.sources import token_source
from proxy.net.carriers import Carriers
from proxy.oauth.jwt import claims
from proxy.runtime.outcome import Failed, Obtained, Outcome, Unasked
from proxy.runtime.tls import TlsContexts
from proxy.secrets.references import Direct
from proxy.stores.identity import identity
from proxy.stores.opening import open_store
from proxy.tokens.looked_up import NOT_ASKED, LookedUp
from proxy.tokens.once import Once
from proxy.tokens.ports import TokenSource, TokenStore
from proxy.tokens.presence import left
from proxy.tokens.token import Token

FAREWELL: Final = 0.1
"""Seconds that closed TLS connections get to say goodbye before the loop ends under them."""
_STORED: Final = model.BY_PERSON | {model.Grant.REFRESH_TOKEN}
"""Grants whose tokens can't be had anew without spending what the store alone has."""

Tell = Callable[[str], None]


async def ask_all(
    config: model.Config, environ: Mapping[str, str], contexts: TlsContexts, tell: Tell
) -> list[Outcome]:
    """One token for each credential, asked for all at once; callers bring their own along.

    ``tell`` is told what a person should see to.

    Raises:
        StoreError: the store can't be opened.
    """
    clock = SystemClock()
    carriers = Carriers(environ=environ, clock=clock, contexts=contexts)
    secrets = Direct(environ, clock)
    every: dict[str, Once] = {}
    try:
        async with _store(config, environ, clock, tell) as store:
            for one in config.credentials.values():
                if isinstance(one.subject, model.FromRequest):
                    continue
                source = token_source(
                    one,
                    sender=carriers.get(carriers.key(one.provider)),
                    secrets=secrets,
                    clock=clock,
                    lenders=every.__getitem__,
                )
                every[one.name] = Once(one.name, _looking(config, one, source, store, clock))
            asked = (_ask(config.credentials[name], once, clock) for name, once in every.items())
            return list(await asyncio.gather(*asked))
    finally:
        await carriers.keep(())
        await asyncio.sleep(FAREWELL)


@asynccontextmanager
async def _store(
    config: model.Config, environ: Mapping[str, str], clock: Clock, tell: Tell
) -> AsyncIterator[TokenStore]:
    """The store; an empty one where nothing can be kept yet: a check leaves nothing behind."""
    configured = config.store
    wanted = any(one.grant in _STORED for one in config.credentials.values())
    unmade = isinstance(configured, model.FileStore) and not configured.directory.exists()
    store = open_store(
        configured if wanted and not unmade else None,
        state_dir=config.state_dir,
        environ=environ,
        clock=clock,
        tell=tell,
    )
    try:
        yield store
    finally:
        await store.close()


def _looking(
    config: model.Config,
    one: model.Credential,
    source: TokenSource,
    store: TokenStore,
    clock: Clock,
) -> TokenSource:
    if one.grant not in _STORED:
        return source
    return LookedUp(store, identity(one, config.credentials), source, one.renew.margin, clock)


async def _ask(credential: model.Credential, once: Once, clock: Clock) -> Outcome:
    began = clock.monotonic()
    try:
        token = await once.token()
    except TokenRequestError as error:
        by_person = credential.grant in model.BY_PERSON and error.reason == "login_needed"
        if by_person or error.reason == NOT_ASKED:
            return Unasked(credential.name, str(error), error.reason)
        return Failed(credential.name, error)
    stored = token.received.monotonic < began
    return describe(credential, token, left(token, clock.now()) if stored else None)


def describe(credential: model.Credential, token: Token, left: float | None = None) -> Obtained:
    """What may be told of ``token``; ``left``: seconds that a stored one lives on."""
    said = claims(token.value.reveal()) or {}
    return Obtained(
        credential=credential.name,
        field=token.field,
        lifetime=token.lifetime,
        issuer=_text(said.get("iss")),
        audience=_text(said.get("aud")),
        subject=_text(said.get("sub")),
        warnings=(*token.warnings, *_used_up(credential, token)),
        left=left,
    )


def _used_up(credential: model.Credential, token: Token) -> tuple[str, ...]:
    if credential.grant is not model.Grant.REFRESH_TOKEN or token.refresh is None:
        return ()
    return ("the provider gave a new refresh token: the configured one may work no more",)


def _text(claim: object) -> str | None:
    if isinstance(claim, list):
        return ", ".join(str(one) for one in claim)
    return None if claim is None else str(claim)
