"""The order of the steps, and where a chain ends because going on makes no sense.

File and secrets, then for each credential the way to its provider, discovery, a token, and for
each of its routes the way to the API and whether it takes the token.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping

from proxy.clock import Clock
from proxy.config.model import Config, Credential, Provider, Route
from proxy.doctor import answer, asking, network, provider, secrets, upstream
from proxy.doctor.asking import Asked
from proxy.doctor.finding import Finding, Kind, State, bad, good, note
from proxy.doctor.network import Way
from proxy.doctor.scrubbing import Scrubbing
from proxy.doctor.surgery import Surgery, surgery
from proxy.doctor.upstream import Api
from proxy.errors import StoreError
from proxy.message import is_loopback
from proxy.net.trust import TlsError
from proxy.runtime.tls import TlsContexts

FILE = "configuration"


async def examine(
    config: Config,
    environ: Mapping[str, str],
    clock: Clock,
    only: str | None = None,
) -> AsyncIterator[Finding]:
    """Every finding, as it is made; ``only``: of this credential and its routes."""
    scrubbing = Scrubbing(config, environ)
    try:
        async with surgery(config, environ, clock, TlsContexts()) as opened:
            for found in _file(config):
                yield found
            names = [only] if only is not None else list(config.credentials)
            for name in names:
                async for found in _credential(opened, config.credentials[name], scrubbing):
                    yield scrubbing.clean(found)
            for route in config.routes:
                if only is None and route.credential is None:
                    async for found in _way_to(opened, route, _subject("none", route)):
                        yield found
            for notice in opened.notices:
                yield scrubbing.clean(note("", "store", notice))
    except StoreError as error:
        yield bad("", "store", Kind.CONFIGURATION, "store", str(error))


def _file(config: Config) -> Iterator[Finding]:
    counts = f"credentials: {len(config.credentials)}, routes: {len(config.routes)}"
    yield good("", FILE, f"{config.path} is right; {counts}")
    for warning in config.warnings:
        yield note("", FILE, str(warning))
    open_to_all = [str(at) for at in config.listen if not at.path]
    if open_to_all and not config.clients:
        yield note(
            "",
            FILE,
            f"every user of this machine may use the credentials through {', '.join(open_to_all)}",
            "where others work on it too, set clients: or listen on unix:/path",
            "open_to_all",
        )


async def _credential(
    opened: Surgery, credential: Credential, scrubbing: Scrubbing
) -> AsyncIterator[Finding]:
    """One credential's chain, until a step goes badly."""
    settings = credential.provider or Provider()
    asked: Asked | None = None
    try:
        for found in secrets.look(credential, opened.environ):
            yield found
            if found.state is State.BAD:
                return
        asked = Asked(credential, opened.recorder(settings.tls, settings.egress))
        async for found in _at_provider(opened, asked):
            yield found
            if found.state is State.BAD:
                return
    except TlsError as error:
        yield bad(credential.name, "provider TLS", Kind.CONFIGURATION, "tls_file", str(error))
    if asked is None or asked.token is None:
        return
    others = answer.others(asked.sender.posted, asked.token.field)
    scrubbing.learn(asked.token.value.reveal(), *others.values())
    for route in opened.config.routes:
        if route.credential == credential.name:
            async for found in _route(opened, route, asked, others):
                yield found


async def _at_provider(opened: Surgery, asked: Asked) -> AsyncIterator[Finding]:
    credential, sender = asked.credential, asked.sender
    url = provider.place(credential)
    if url is not None:
        async for found in provider.reach(opened, credential, url):
            yield found
        async for found in provider.discover(opened, credential, sender):
            yield found
    told_time = provider.clock(credential, sender.last)
    if told_time is not None:
        yield told_time
    async for found in asking.ask(opened, asked):
        if told_time is None:
            told_time = provider.clock(credential, sender.posted)
            if told_time is not None:
                yield told_time
        yield found


async def _route(
    opened: Surgery, route: Route, asked: Asked, others: Mapping[str, str]
) -> AsyncIterator[Finding]:
    subject = _subject(asked.credential.name, route)
    async for found in _way_to(opened, route, subject):
        yield found
        if found.state is State.BAD:
            return
    if asked.token is not None:
        api = Api(subject, route, opened.recorder(route.tls, route.egress))
        async for found in upstream.examine(api, asked.token, others):
            yield found


async def _way_to(opened: Surgery, route: Route, subject: str) -> AsyncIterator[Finding]:
    """The steps to a route's API, until one goes badly."""
    try:
        context = opened.context(route.tls)
    except TlsError as error:
        yield bad(subject, "API TLS", Kind.CONFIGURATION, "tls_file", str(error))
        return
    if not route.upstream.secure and not is_loopback(route.upstream.host):
        yield note(subject, "API TLS", "none: what is sent goes over the network in the clear")
    way = Way(subject, "API", upstream.url(route), route.tls, route.egress, context)
    for found in await asyncio.to_thread(lambda: list(network.walk(way, opened.environ))):
        yield found


def _subject(name: str, route: Route) -> str:
    return f"{name} → {route.upstream.authority}{route.upstream.path}"
