"""Asks every provider for a token once and tells what came, never the token itself."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Final

from proxy.clock import SystemClock
from proxy.config import model
from proxy.errors import TokenRequestError
from proxy.idp.sources import token_source
from proxy.oauth.jwt import claims
from proxy.runtime.carriers import Carriers
from proxy.runtime.outcome import Failed, Obtained
from proxy.runtime.tls import TlsContexts
from proxy.tokens.token import RefreshToken, Token

FAREWELL: Final = 0.1
"""Seconds that closed TLS connections get to say goodbye before the loop ends under them."""


async def ask_all(
    config: model.Config, environ: Mapping[str, str], contexts: TlsContexts
) -> list[Obtained | Failed]:
    """One token for each credential, asked for all at once."""
    carriers = Carriers(environ=environ, clock=SystemClock(), contexts=contexts)
    try:
        asked = (_ask(one, carriers, environ) for one in config.credentials.values())
        return list(await asyncio.gather(*asked))
    finally:
        await carriers.keep(())
        await asyncio.sleep(FAREWELL)


async def _ask(
    credential: model.Credential, carriers: Carriers, environ: Mapping[str, str]
) -> Obtained | Failed:
    sender = carriers.get(carriers.key(credential.provider))
    source = token_source(credential, sender=sender, environ=environ, clock=SystemClock())
    try:
        token = await source.obtain(None, _forget)
    except TokenRequestError as error:
        return Failed(credential.name, error)
    return describe(credential, token)


async def _forget(_refresh: RefreshToken | None) -> None:
    """Nothing is kept: the sidecar that runs obtains its own."""


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
