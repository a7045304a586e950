"""``token-sidecar logout``: what was kept is ended at the provider (RFC 7009) and forgotten here.

It is forgotten whatever the provider says; whether it lives on there is told.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from proxy.config import model
from proxy.errors import TokenRequestError
from proxy.idp.login import revoke
from proxy.idp.requests import TokenRequests
from proxy.runtime.workplace import workplace
from proxy.secret import Secret
from proxy.tokens.ports import Entry, TokenStore
from proxy.tokens.renewal import forgotten

ACCESS_TOKEN = "access_token"  # noqa: S105 - the name of a field


@dataclass(frozen=True, slots=True)
class LoggedOut:
    """What came of it.

    Attributes:
        kept: whether there was anything.
        revoked: what the provider ended, by kind.
        failure: why something was not ended there, where it was tried.
        unsupported: the provider names no place for it.
    """

    kept: bool
    revoked: tuple[str, ...] = ()
    failure: TokenRequestError | None = None
    unsupported: bool = False


async def log_out(
    config: model.Config,
    name: str,
    environ: Mapping[str, str],
    tell: Callable[[str], None],
) -> LoggedOut:
    """End and forget what is kept for the credential ``name``.

    Raises:
        ConfigurationError: tokens are kept in memory: only who has them can forget them.
        SecretError: a secret of the client can't be read.
        StoreError: the store can't be opened, read or written.
    """
    async with workplace(config, name, environ, tell) as place:
        return await end(place.store, place.identity, place.requests)


async def end(store: TokenStore, identity: str, requests: TokenRequests | None) -> LoggedOut:
    """End and forget one entry; under its lock, so that no refresh brings it back meanwhile."""
    async with store.lock(identity):
        entry = await store.load(identity)
        if entry.token is None and entry.refresh is None:
            return LoggedOut(kept=False)
        try:
            return await _ended(requests, entry)
        finally:
            await store.save(identity, forgotten(entry))


async def _ended(requests: TokenRequests | None, entry: Entry) -> LoggedOut:
    """The refresh token first: a provider that ends it ends what came of it too (section 2.1)."""
    if requests is None:
        return LoggedOut(kept=True, unsupported=True)
    revoked: list[str] = []
    try:
        for kind, value in _tokens(entry):
            if not await revoke(requests, value, kind):
                return LoggedOut(kept=True, unsupported=True)
            revoked.append(kind)
    except TokenRequestError as error:
        return LoggedOut(kept=True, revoked=tuple(revoked), failure=error)
    return LoggedOut(kept=True, revoked=tuple(revoked))


def _tokens(entry: Entry) -> Iterator[tuple[str, Secret]]:
    if entry.refresh is not None:
        yield "refresh_token", entry.refresh.value
    if entry.token is not None and entry.token.field == ACCESS_TOKEN:
        yield ACCESS_TOKEN, entry.token.value
