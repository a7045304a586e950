"""A sidecar for one program alone, as long as that runs: ``token-sidecar exec --proxy``.

Decides what of the configuration it serves and how the program finds it; forwarding and renewing
are the sidecar's own business.
"""

from __future__ import annotations

import asyncio
import secrets
import socket
import sys
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

from proxy.clock import SystemClock
from proxy.config import model
from proxy.errors import UnlendableError
from proxy.runtime.handing import variable_for
from proxy.runtime.kept_secrets import prefetched
from proxy.runtime.lending_out import no_such
from proxy.runtime.log import Log
from proxy.runtime.reading import load
from proxy.runtime.sidecar import Sidecar
from proxy.runtime.supervising import supervised
from proxy.runtime.visiting import refuse_spending
from proxy.secret import Secret

CLIENT = "exec"
"""The name of the one client, in logs."""
HOST = "127.0.0.1"


def beside(
    path: Path, names: Sequence[str], command: Sequence[str], environ: Mapping[str, str]
) -> int:
    """Run ``command`` with a sidecar of its own for the credentials ``names``; its exit code.

    Raises:
        ConfigurationError: the configuration can't be used.
        UnlendableError: there is no such credential, or no route has it.
        StartError: the sidecar can't listen, or its store can't be opened.
    """
    key = Secret(secrets.token_urlsafe(32))
    port = _free_port()
    config = private(load(path, environ), names, port, key)
    return asyncio.run(_run(config, command, {**environ, **found_at(config, port, key)}, environ))


def private(config: model.Config, names: Sequence[str], port: int, key: Secret) -> model.Config:
    """The configuration of that sidecar: only these credentials' routes, only on loopback."""
    for name in names:
        if name not in config.credentials:
            raise UnlendableError(no_such(name, config.credentials))
        refuse_spending(config.credentials[name], config)
        if not any(route.credential == name for route in config.routes):
            raise UnlendableError(f"no route has the credential {name}: nothing would be served")
    routes = [one for one in config.routes if one.credential in names]
    _refuse_twins(routes)
    wanted = _with_lenders(config, names)
    position = model.Position(str(config.path), 1, 1)
    return replace(
        config,
        listen=(model.Address(HOST, port),),
        admin=None,
        metrics=None,
        certificates={},
        allow_remote=False,
        quitquitquit=False,
        clients={CLIENT: model.PlainSecret(key, position)},
        workers=1,
        log=model.Log(config.log.format, "warning", access=False),
        credentials={name: replace(wanted[name], clients=frozenset()) for name in wanted},
        routes=tuple(replace(one, listen=None, clients=None) for one in routes),
        warnings=(),
    )


def found_at(config: model.Config, port: int, key: Secret) -> dict[str, str]:
    """The variables by which the program finds it."""
    found = {
        "TOKEN_SIDECAR_URL": _url(HOST, port, key),
        "TOKEN_SIDECAR_ORIGIN": f"http://{HOST}:{port}",
        "TOKEN_SIDECAR_KEY": key.reveal(),
    }
    for route in config.routes:
        variable = variable_for(route.credential or "", "TOKEN_SIDECAR_URL_")
        found.setdefault(variable, _url(route.host or HOST, port, key) + route.path)
    return found


async def _run(
    config: model.Config,
    command: Sequence[str],
    environ: Mapping[str, str],
    own_environ: Mapping[str, str],
) -> int:
    log = Log(sys.stderr, form=config.log.format, level=config.log.level)
    asyncio.get_running_loop().set_exception_handler(log.loop_fault)
    clock = SystemClock()
    secrets = await prefetched(config, own_environ, clock, log.event)
    async with AsyncExitStack() as closing:
        closing.push_async_callback(secrets.close)
        sidecar = Sidecar(
            config, environ=own_environ, log=log, clock=clock, own_socket=False, secrets=secrets
        )
        closing.push_async_callback(sidecar.close)
        await sidecar.start()
        return await supervised(command, environ)


def _with_lenders(config: model.Config, names: Sequence[str]) -> dict[str, model.Credential]:
    """These credentials, and those whose tokens they are obtained with."""
    found: dict[str, model.Credential] = {}
    wanted = list(names)
    while wanted:
        one = config.credentials[wanted.pop()]
        if one.name not in found:
            found[one.name] = one
            parties = (one.subject, one.actor)
            wanted += [it.credential for it in parties if isinstance(it, model.FromCredential)]
    return found


def _refuse_twins(routes: Sequence[model.Route]) -> None:
    seen: dict[tuple[str | None, str], model.Route] = {}
    for route in routes:
        other = seen.setdefault((route.host, route.path), route)
        if other is not route:
            raise UnlendableError(
                f"{other.credential} and {route.credential} both have a route at {route.path}, on"
                " listeners of their own: run the program with one of them"
            )


def _url(host: str, port: int, key: Secret) -> str:
    return f"http://token-sidecar:{key.reveal()}@{host}:{port}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
