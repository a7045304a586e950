"""A credential's provider: the way to it, its discovery document, its clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from proxy.config.model import Credential, Provider
from proxy.doctor import issuer, network
from proxy.doctor.finding import Finding, Kind, bad, good, note
from proxy.doctor.network import Way
from proxy.doctor.recorder import Recorder
from proxy.doctor.surgery import Surgery
from proxy.errors import Failure, TokenRequestError
from proxy.idp.endpoint import Endpoints
from proxy.message import Answer
from proxy.oauth import jwt
from proxy.oauth.body import parse
from proxy.oauth.jwt import FURTHEST
from proxy.oauth.lifetime import REPORTED_SKEW, skew


def kind_of(error: TokenRequestError) -> Kind:
    """Refused where somebody said no, else unreachable."""
    said_no = error.failure in {Failure.TERMINAL, Failure.SLOW}
    return Kind.REFUSED if said_no else Kind.UNREACHABLE


def place(credential: Credential) -> str | None:
    """The first address of the provider that is asked, or None where nobody is."""
    if credential.sign_in is not None:
        return credential.sign_in.url
    provider = credential.provider
    return None if provider is None else provider.issuer or provider.token_url


async def reach(surgery: Surgery, credential: Credential, url: str) -> AsyncIterator[Finding]:
    """The steps to the provider until one goes badly."""
    provider = credential.provider or Provider()
    way = Way(
        credential.name,
        "provider",
        url,
        provider.tls,
        provider.egress,
        surgery.context(provider.tls),
    )
    for found in await asyncio.to_thread(lambda: list(network.walk(way, surgery.environ))):
        yield found


async def discover(
    surgery: Surgery, credential: Credential, sender: Recorder
) -> AsyncIterator[Finding]:
    """The discovery document, where one is configured."""
    provider = credential.provider
    if provider is None or provider.issuer is None or credential.sign_in is not None:
        return
    step = "discovery"
    try:
        found = await Endpoints(provider, sender, surgery.clock).metadata()
    except TokenRequestError as error:
        mismatch = "says it is of" in str(error)
        elsewhere = None if mismatch else await issuer.look_for(provider.issuer, sender)
        if elsewhere is not None:
            cause, told, advice = elsewhere.cause, elsewhere.told, elsewhere.advice
        else:
            cause = "issuer_mismatch" if mismatch else "no_discovery"
            told, _, advice = str(error).partition("; ")
        yield bad(credential.name, step, kind_of(error), cause, told, advice)
        return
    yield good(credential.name, step, f"the document of {found.issuer} is there")


def clock(credential: Credential, answer: Answer | None) -> Finding | None:
    """How far the two clocks are apart; None where an answer tells nothing about it.

    ``Date`` tells, and where that is not sent (Keycloak) ``iat`` of a token made for this answer.
    """
    if answer is None:
        return None
    ahead = skew(answer) if "date" in answer.headers else _by_token(answer)
    if ahead is None:
        return None
    if abs(ahead) <= REPORTED_SKEW:
        apart = f"{abs(ahead):.0f} s apart" if ahead else "no difference"
        return good(credential.name, "clock", f"this machine's and the provider's: {apart}")
    side = "behind" if ahead > 0 else "ahead of"
    return note(
        credential.name,
        "clock",
        f"this machine's clock is {abs(ahead):.0f} s {side} the provider's",
        "set the clock (chronyc, timedatectl): signed tokens and TLS depend on it",
        "clock_skew",
    )


def _by_token(answer: Answer) -> float | None:
    value = (parse(answer.body) or {}).get("access_token")
    issued = (jwt.claims(value) or {}).get("iat") if isinstance(value, str) else None
    if isinstance(issued, bool) or not isinstance(issued, int | float):
        return None
    if answer.sent.wall - 1 <= issued <= answer.received.wall:
        return 0.0
    return max(min(issued - answer.received.wall, FURTHEST), -FURTHEST)
