"""From a credential's configuration to the object that holds its token; starts and asks nothing.

What the sidecar and a program without one have in common.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from proxy.clock import Clock
from proxy.config import model
from proxy.idp.endpoint import Sender
from proxy.idp.origins import Lenders
from proxy.idp.sources import token_source
from proxy.secrets.references import Sources
from proxy.stores.memory import MemoryStore
from proxy.tokens.credential import Credential
from proxy.tokens.event import Event
from proxy.tokens.policy import RenewalPolicy
from proxy.tokens.ports import TokenSource, TokenStore

Follow = Callable[[str, TokenSource], TokenSource]


def unfollowed(_: str, source: TokenSource) -> TokenSource:
    """The source itself."""
    return source


def made(
    configured: model.Credential,
    *,
    identity: str,
    sender: Sender | None,
    store: TokenStore,
    renewal: RenewalPolicy,
    secrets: Sources,
    clock: Clock,
    random: Random,
    lenders: Lenders,
    log: Callable[[Event], None],
    follow: Follow = unfollowed,
) -> Credential:
    """The credential; nobody has started it.

    Args:
        configured: complete, as ``config`` gives it.
        identity: what the store knows it by.
        sender: carries requests to its provider; None for ``static`` alone.
        store: where its token is kept.
        renewal: when it is renewed.
        secrets: where secrets are looked up.
        clock: the process's.
        random: spreads renewals and retries.
        lenders: finds another credential by name, when its token is wanted.
        log: is told of each event.
        follow: what stands before its source.
    """
    source = token_source(configured, sender=sender, secrets=secrets, clock=clock, lenders=lenders)
    return Credential(
        configured.name,
        source=follow(configured.name, source),
        # A static token's place says what it is: what was read from it before must not stay.
        store=MemoryStore() if configured.grant is model.Grant.STATIC else store,
        identity=identity,
        renewal=renewal,
        clock=clock,
        random=random,
        required=configured.required,
        spends=configured.grant is model.Grant.REFRESH_TOKEN,
        alone=configured.grant not in {*model.BY_PERSON, model.Grant.REFRESH_TOKEN},
        log=log,
    )
