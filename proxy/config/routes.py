"""Resolves routes: upstreams taken apart, names looked up, no two routes alike."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from proxy.config.addresses import path, segments, url
from proxy.config.file_keys import FileKeys, RouteKeys
from proxy.config.listeners import Listeners
from proxy.config.model import Address, Credential, Grant, Route, Timeouts, Tls, Upstream
from proxy.config.report import Report, Section, suggestion
from proxy.config.scalars import UnfitError
from proxy.config.sdk_logins import check_sdk_login
from proxy.config.shared import (
    check_clients,
    egress,
    refuse_plain_http,
    tls,
    warn_insecure,
    warn_proxy_password,
)
from proxy.config.surroundings import Surroundings

_FRAMING: Final = (
    "connection",
    "content-length",
    "host",
    "keep-alive",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
)
"""Fields that frame a message or end at the next hop (RFC 9110 section 7.6.1)."""


def resolve(
    file: FileKeys,
    listeners: Listeners,
    credentials: Mapping[str, Credential],
    report: Report,
    around: Surroundings,
) -> tuple[Route, ...]:
    """The file's routes; mistakes go to ``report``."""
    if not file.routes and not report.spoiled(("routes",)):
        report.problem((), "`routes` is missing: nothing would be forwarded")
    routes = []
    seen: dict[object, int] = {}
    for index, keys in enumerate(file.routes):
        section = report.section("routes", index)
        if report.spoiled(section.trail):
            continue
        upstream = _upstream(keys, section, listeners)
        _check(keys, file, section)
        _session(keys, credentials, section)
        check_sdk_login(keys, credentials, section)
        if not section.spoiled("path"):
            _refuse_twin(keys, index, listeners, section, seen)
        settings = tls(keys.tls, section, around)
        if upstream:
            routes.append(_route(keys, upstream, section, listeners.routes.get(index), settings))
    return tuple(routes)


def _route(
    keys: RouteKeys, upstream: Upstream, section: Section, listen: Address | None, settings: Tls
) -> Route:
    return Route(
        path=keys.path,
        upstream=upstream,
        at=section.position,
        credential=None if keys.credential == "none" else keys.credential,
        host=keys.host,
        listen=listen,
        header=keys.header,
        scheme=keys.scheme,
        tls=settings,
        egress=egress(keys.proxy),
        allow_insecure=keys.allow_insecure,
        clients=None if keys.clients is None else frozenset(keys.clients),
        cookies=keys.cookies,
        rewrite_location=keys.rewrite_location,
        timeouts=Timeouts(**keys.timeouts.model_dump()),
        max_body=keys.max_body,
        replay_body=keys.replay_body,
        sdk_login=keys.sdk_login,
    )


def _upstream(keys: RouteKeys, section: Section, listeners: Listeners) -> Upstream | None:
    if keys.upstream is None:
        section.missing("upstream", "the route has no `upstream`")
        return None
    found = url(keys.upstream)
    if "?" in keys.upstream:
        section.wrong("upstream", "`upstream` must be a URL without ?: queries are the caller's")
        return None
    try:
        whole = path(found.path or "/")
    except UnfitError as error:
        section.wrong("upstream", f"`upstream` has a path that {error}")
        return None
    upstream = Upstream(found.secure, found.host, found.port, found.authority, whole)
    if own := listeners.answering(upstream):
        section.wrong("upstream", f"`upstream` is our own listener {own}: requests would go round")
    return upstream


def _check(keys: RouteKeys, file: FileKeys, section: Section) -> None:
    _credential(keys, file, section)
    _clients(keys, file, section)
    if keys.header.lower() in _FRAMING or keys.header.lower().startswith("proxy-"):
        section.wrong("header", "`header` can't be a field that frames the message or ends here")
    if keys.tls and keys.upstream and not url(keys.upstream).secure:
        section.unfit("tls", "`tls` has no meaning for an upstream over plain http")
    if keys.proxy and keys.proxy.startswith("https:"):
        section.wrong("proxy", "`proxy` of a route must be http://host:port, or none")
    warn_proxy_password(keys.proxy, section)
    warn_insecure(section, allowed=keys.allow_insecure)


def _credential(keys: RouteKeys, file: FileKeys, section: Section) -> None:
    name = keys.credential
    if name is None:
        section.missing("credential", "the route has no `credential`: name one, or say none")
        return
    if name == "none":
        return
    if name not in file.credentials and not section.report.spoiled(("credentials", name)):
        hint = suggestion(name, file.credentials)
        section.wrong(
            "credential", f"`credential` names `{name}`, which is not in credentials{hint}"
        )
    if keys.upstream:
        refuse_plain_http("upstream", keys.upstream, section, allowed=keys.allow_insecure)


def _session(keys: RouteKeys, credentials: Mapping[str, Credential], section: Section) -> None:
    found = credentials.get(keys.credential or "")
    if found is None or found.grant is not Grant.SESSION:
        return
    for key in ("header", "scheme"):
        if key in keys.model_fields_set:
            section.unfit(
                key, f"`{key}` has no meaning here: `{found.name}` is a session, sent as a cookie"
            )


def _clients(keys: RouteKeys, file: FileKeys, section: Section) -> None:
    if keys.clients == []:
        section.wrong("clients", "`clients` names nobody: leave it out to serve all")
    check_clients(keys.clients or (), file.clients, section)


def _refuse_twin(
    keys: RouteKeys, index: int, listeners: Listeners, section: Section, seen: dict[object, int]
) -> None:
    identity = (listeners.routes.get(index), keys.host, segments(keys.path))
    if identity in seen:
        first = section.report.at(("routes", seen[identity])).line
        section.wrong(
            "path", f"the same listener, host and path as the route on line {first}: change one"
        )
    seen.setdefault(identity, index)
