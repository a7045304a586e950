"""What the configuration says in the data plane's own words.

Pure but for the TLS files, which ``TlsContexts`` reads; what a key means is decided in
``config``, what follows from it in ``plane``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from proxy.config import model
from proxy.plane.settings import Address, Limits, PlaneSettings, Route, Upstream
from proxy.runtime.decoys import Answers
from proxy.runtime.egress import proxy_of
from proxy.runtime.tls import TlsContexts
from proxy.secret import Secret


def plane_settings(
    config: model.Config,
    contexts: TlsContexts,
    keys: Mapping[str, Secret],
    environ: Mapping[str, str],
    answers: Answers | None = None,
) -> PlaneSettings:
    """Everything the plane needs.

    Args:
        config: the whole file.
        contexts: where TLS contexts come from.
        keys: the values of the client keys, by client.
        environ: where egress proxies are looked for.
        answers: what makes the answers to SDKs' logins.

    Raises:
        TlsError: a certificate file of a listener or a route can't be used.
        EgressError: the environment names a proxy that can't be used.
    """
    sessions = {
        name for name, one in config.credentials.items() if one.grant is model.Grant.SESSION
    }
    return PlaneSettings(
        listeners=tuple(address(one) for one in config.listen),
        routes=tuple(
            _answering(
                route(one, contexts, environ, session=one.credential in sessions), one, answers
            )
            for one in config.routes
        ),
        tls={address(at): contexts.serving(one) for at, one in config.certificates.items()},
        hosts=config.hosts,
        origins=config.browser_origins,
        clients=keys,
        peer_uids=config.peer_uids,
        limits=limits(config.limits),
        hold=config.hold,
    )


def address(configured: model.Address) -> Address:
    """A listener's address."""
    return Address(host=configured.host, port=configured.port, path=configured.path)


def route(
    configured: model.Route,
    contexts: TlsContexts,
    environ: Mapping[str, str],
    *,
    session: bool = False,
) -> Route:
    """One route with its upstream; ``session`` tells what its credential is."""
    return Route(
        path=configured.path,
        upstream=upstream(configured, contexts, environ),
        upstream_path=configured.upstream.path,
        credential=configured.credential,
        host=configured.host,
        listener=None if configured.listen is None else address(configured.listen),
        header=configured.header,
        scheme=configured.scheme,
        clients=configured.clients,
        session=session,
        cookies=configured.cookies,
        rewrite_location=configured.rewrite_location,
        head_timeout=configured.timeouts.head,
        idle_timeout=configured.timeouts.idle,
        max_body=configured.max_body,
        replay_body=configured.replay_body,
    )


def _answering(made: Route, configured: model.Route, answers: Answers | None) -> Route:
    if configured.sdk_login is None or answers is None:
        return made
    return replace(made, local=answers(configured.sdk_login, made))


def upstream(
    configured: model.Route, contexts: TlsContexts, environ: Mapping[str, str]
) -> Upstream:
    """The origin server of one route."""
    origin = configured.upstream
    return Upstream(
        host=origin.host,
        port=origin.port,
        authority=origin.authority,
        tls=contexts.get(configured.tls) if origin.secure else None,
        connect_timeout=configured.timeouts.connect,
        proxy=proxy_of(configured, environ),
    )


def limits(configured: model.Limits) -> Limits:
    """The limits."""
    return Limits(
        target=configured.target,
        head=configured.head,
        fields=configured.fields,
        head_time=configured.head_time,
        body_idle=configured.body_idle,
        connections=configured.connections,
        in_flight=configured.in_flight,
        replay_budget=configured.replay_budget,
    )
