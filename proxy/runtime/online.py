"""Asks every provider for a token once and tells what came, never the token itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from proxy.clock import SystemClock
from proxy.config import model
from proxy.errors import TokenRequestError
from proxy.idp.sources import token_source
from proxy.net.carriers import Carriers
from proxy.oauth.jwt import claims
from proxy.runtime.outcome import Failed, Obtained
from proxy.runtime.tls import TlsContexts
from proxy.tokens.once import Once
from proxy.tokens.token import Token

FAREWELL: Final = 0.1
"""Seconds that closed TLS connections get to say goodbye before the loop ends under them."""


async def ask_all(
    config: model.Config, environ: Mapping[str, str], contexts: TlsContexts
) -> list[Obtained | Failed]:
    """One token for each credential, asked for all at once; callers bring their own along."""
    carriers = Carriers(environ=environ, clock=SystemClock(), contexts=contexts)
    every: dict[str, Once] = {}
    for one in config.credentials.values():
        if not isinstance(one.subject, model.FromRequest):
            every[one.name] = Once(
                one.name,
                token_source(
                    one,
                    sender=carriers.get(carriers.key(one.provider)),
                    environ=environ,
                    clock=SystemClock(),
                    lenders=every.__getitem__,
                ),
            )
    try:
        asked = (_ask(config.credentials[name], once) for name, once in every.items())
        return list(await asyncio.gather(*asked))
    finally:
        await carriers.keep(())
        await asyncio.sleep(FAREWELL)


async def _ask(credential: model.Credential, once: Once) -> Obtained | Failed:
    try:
        return describe(credential, await once.token())
    except TokenRequestError as error:
        return Failed(credential.name, error)


def describe(credential: model.Credential, token: Token) -> Obtained:
    """What may be told of ``token``."""
    said = claims(token.value.reveal()) or {}
    return Obtained(
        credential=credential.name,
        field=token.field,
        lifetime=token.lifetime,
        issuer=_text(said.get("iss")),
        audience=_text(said.get("aud")),
        subject=_text(said.get("sub")),
        warnings=(*token.warnings, *_used_up(credential, token)),
    )


def _used_up(credential: model.Credential, token: Token) -> tuple[str, ...]:
    if credential.grant is not model.Grant.REFRESH_TOKEN or token.refresh is None:
        return ()
    return ("the provider gave a new refresh token: the configured one may work no more",)


def _text(claim: object) -> str | None:
    if isinstance(claim, list):
        return ", ".join(str(one) for one in claim)
    return None if claim is None else str(claim)
