"""``/v1/credentials/NAME/…``: tokens for programs on this machine that send their own requests.

Decides who may have which token: our own user over a Unix socket, a client with its key over TCP
where the credential lists it. No web page can ask: what hands out a token wants a field that no
page can send unasked.
"""

from __future__ import annotations

import hmac
import json
import math
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol

from aiohttp import web

from proxy.control.permission import caller, marked
from proxy.control.problem import problem
from proxy.errors import CredentialRefused, CredentialUnavailable
from proxy.http1.refusal import MessageError
from proxy.plane.guard import Guard
from proxy.tokens.lease import Lease
from proxy.tokens.policy import too_short
from proxy.tokens.status import CredentialStatus

IDENTITY: Final = "X-Token-Sidecar-Identity"
LONGEST_BODY: Final = 1024


class Lending(Protocol):
    """What a credential does for those who ask here; ``tokens.credential.Credential`` is one."""

    async def acquire(self, hold: float) -> Lease:
        """A lease, waiting at most ``hold`` seconds; CredentialUnavailable where none came."""

    async def reject(self, generation: int, hold: float) -> Lease | None:
        """An upstream refused this generation: a newer lease, or None."""

    async def refresh(self, hold: float) -> Lease:
        """A new token now; CredentialUnavailable where none came."""

    async def forget(self) -> bool:
        """Forget the token and what renews it; whether there was anything."""

    def status(self) -> CredentialStatus:
        """How it is doing."""


@dataclass(frozen=True, slots=True)
class Lendable:
    """One credential as it may be lent.

    Attributes:
        identity: what the store knows it by; who names another one is answered 409.
        clients: names of the clients that may have it over TCP.
    """

    credential: Lending
    identity: str
    clients: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Lendables:
    """The credentials of this moment; ``hold``: seconds that a caller may wait for a token."""

    credentials: Mapping[str, Lendable]
    hold: float


Lendings = Callable[[], Lendables]
Act = Callable[[Lending, web.Request, float], Awaitable[Lease | None]]


def lending(current: Lendings, guard: Callable[[], Guard]) -> list[web.RouteDef]:
    """The four routes."""

    async def forget(request: web.Request) -> web.Response:
        try:
            lendable = _permitted(request, current().credentials, guard())
            _only_us(request, guard())
            kept = await lendable.credential.forget()
        except MessageError as refused:
            return problem(refused.status, str(refused))
        except CredentialUnavailable as error:
            return _unavailable(error)
        return web.json_response({"credential": request.match_info["name"], "kept": kept})

    def route(act: Act) -> Callable[[web.Request], Awaitable[web.Response]]:
        async def handler(request: web.Request) -> web.Response:
            now = current()
            try:
                lendable = _permitted(request, now.credentials, guard())
                lease = await act(lendable.credential, request, now.hold)
            except MessageError as refused:
                return problem(refused.status, str(refused))
            except CredentialUnavailable as error:
                return _unavailable(error)
            return _lent(request.match_info["name"], lendable, lease)

        return handler

    place = "/v1/credentials/{name}"
    return [
        web.get(f"{place}/token", route(_token)),
        web.post(f"{place}/reject", route(_reject)),
        web.post(f"{place}/refresh", route(_refresh)),
        web.post(f"{place}/forget", forget),
    ]


async def _token(credential: Lending, request: web.Request, hold: float) -> Lease | None:
    """The present token; a new one where it has less than ``min_ttl`` seconds left.

    Not where no token of this provider lives that long: asking would not help.
    """
    least = _seconds(request.query.get("min_ttl", "0"))
    lease = await credential.acquire(hold)
    status = credential.status()
    if too_short(status.expires_in_seconds, status.lifetime_seconds, least):
        return await credential.refresh(hold)
    return lease


async def _reject(credential: Lending, request: web.Request, hold: float) -> Lease | None:
    """An upstream said 401: the next token, or what there is where none is to come."""
    generation = await _generation(request)
    return await credential.reject(generation, hold) or await credential.acquire(hold)


async def _refresh(credential: Lending, _request: web.Request, hold: float) -> Lease | None:
    """A new token, whether the old one is still good or not."""
    return await credential.refresh(hold)


def _permitted(request: web.Request, credentials: Mapping[str, Lendable], guard: Guard) -> Lendable:
    """The credential that was asked for.

    Raises:
        MessageError: the caller may not have it, or there is none.
    """
    marked(request)
    client = caller(request, guard)
    lendable = credentials.get(request.match_info["name"])
    if client is not None and (lendable is None or client not in lendable.clients):
        raise MessageError("no credential of this name lists this client in its `clients`", 403)
    if lendable is None:
        raise MessageError("no credential has this name; see /v1/status", 404)
    told = request.headers.get(IDENTITY)
    if told is not None and not hmac.compare_digest(told.encode(), lendable.identity.encode()):
        raise MessageError(
            "the sidecar runs with another configuration of this credential: reload it", 409
        )
    return lendable


def _only_us(request: web.Request, guard: Guard) -> None:
    if caller(request, guard) is not None:
        raise MessageError("only our own user may have it forgotten: it may be a login", 403)


async def _generation(request: web.Request) -> int:
    if (request.content_length or 0) > LONGEST_BODY:
        raise MessageError('the body must be {"generation": N}', 413)
    try:
        said = json.loads(await request.content.read(LONGEST_BODY))
    except (ValueError, RecursionError):
        said = None
    generation = said.get("generation") if isinstance(said, dict) else None
    if not isinstance(generation, int) or isinstance(generation, bool) or generation < 0:
        raise MessageError('the body must be {"generation": N}, as it came with the token')
    return generation


def _seconds(text: str) -> float:
    try:
        found = float(text)
    except ValueError:
        found = math.nan
    if not 0 <= found < math.inf:
        raise MessageError("min_ttl must be a number of seconds")
    return found


def _lent(name: str, lendable: Lendable, lease: Lease | None) -> web.Response:
    left = lendable.credential.status().expires_in_seconds
    said: dict[str, Any] = {"credential": name}
    if lease is not None:
        said |= {
            "token": lease.value.decode("ascii"),
            "field": lease.field,
            "generation": lease.generation,
            "cookie": lease.session is not None,
            "expires_in": None if left is None else round(left, 3),
        }
    return web.json_response(said)


def _unavailable(error: CredentialUnavailable) -> web.Response:
    answer = problem(502 if isinstance(error, CredentialRefused) else 503, str(error))
    if error.retry_after is not None:
        answer.headers["Retry-After"] = str(max(1, math.ceil(error.retry_after)))
    return answer
