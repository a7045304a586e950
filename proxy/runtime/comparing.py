"""Compares two configurations: what a change from one to the other keeps, restarts, opens, closes.

The one place that says so: for ``diff``, for the answer to a reload, for the log. Knows values and
names nothing but keys; what a change does is done elsewhere, and tests hold both together.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

from proxy.config.model import (
    Address,
    Config,
    Credential,
    Drain,
    Form,
    Grant,
    Limits,
    Log,
    Provider,
    Renew,
    Route,
    SignIn,
    Signing,
    Timeouts,
    Tls,
)
from proxy.runtime.differences import ChangedRoute, Differences, Listening, Restarted
from proxy.stores.identity import identity

AFTER_RESTART: Final = ("workers", "store", "tracing")
_TOLD_APART: Final = frozenset(
    {"path", "listen", "admin", "metrics", "credentials", "routes", *AFTER_RESTART}
)
"""What has a part of its own in the result."""
_KEYS: Final = {"egress": "proxy", "json_names": "request", "certificates": "listen.tls"}
"""Keys of the file that the model calls otherwise."""
_WITHIN: Final = frozenset({"provider", "sign_in", "signing", "client_signing"})
"""Parts of the model whose keys stand among those of what has them."""
_SECTIONS: Final = (Provider, Tls, Renew, Signing, SignIn, Form, Timeouts, Limits, Log, Drain)
"""What is written as several keys; all else is one value in the file."""

NOTHING: Final[frozenset[Path]] = frozenset()


def compare(before: Config, after: Config, touched: Collection[Path] = NOTHING) -> Differences:
    """What changes.

    Args:
        before: what runs.
        after: what is to run.
        touched: files that both name and whose content is another than it was.
    """
    stays = before.credentials.keys() & after.credentials.keys()
    restarted = tuple(
        Restarted(name, because, _keeps_token(name, before, after))
        for name in after.credentials
        if name in stays and (because := tuple(_reasons(name, before, after, touched)))
    )
    begun_anew = {one.name for one in restarted}
    return Differences(
        kept=tuple(one for one in after.credentials if one in stays and one not in begun_anew),
        restarted=restarted,
        added=tuple(one for one in after.credentials if one not in stays),
        dropped=tuple(one for one in before.credentials if one not in stays),
        listeners=_listening(before, after),
        **_routes(before, after),
        settings=tuple(_settings(before, after)),
        after_restart=tuple(
            key for key in AFTER_RESTART if getattr(before, key) != getattr(after, key)
        ),
        files=tuple(str(path) for path in files(after) if path in touched),
    )


def files(config: Config) -> tuple[Path, ...]:
    """The files that are read when the configuration is, beside itself and secrets."""
    found = [*config.files]
    for certificate in config.certificates.values():
        found += [certificate.cert_file, *filter(None, (certificate.key_file,))]
    for tls in (route.tls for route in config.routes):
        found += _tls_files(tls)
    for credential in config.credentials.values():
        found += _credential_files(credential)
    return tuple(dict.fromkeys(found))


def _credential_files(credential: Credential) -> tuple[Path, ...]:
    return () if credential.provider is None else _tls_files(credential.provider.tls)


def _tls_files(tls: Tls) -> tuple[Path, ...]:
    return tuple(filter(None, (tls.ca_file, tls.cert_file, tls.key_file)))


def _reasons(name: str, before: Config, after: Config, touched: Collection[Path]) -> Iterator[str]:
    """Why a credential can't go on as it is."""
    was, now = before.credentials[name], after.credentials[name]
    keys = tuple(_different(was, now))
    yield from keys
    if not keys and identity(was, before.credentials) != identity(now, after.credentials):
        yield "the credential that it borrows from"
    yield from (str(path) for path in _credential_files(now) if path in touched)


def _keeps_token(name: str, before: Config, after: Config) -> bool:
    was, now = before.credentials[name], after.credentials[name]
    if Grant.STATIC in {was.grant, now.grant}:
        return False
    return identity(was, before.credentials) == identity(now, after.credentials)


def _listening(before: Config, after: Config) -> Listening:
    was, now = _listeners(before), _listeners(after)
    return Listening(
        kept=tuple(f"{key} {at}" for at, key in now.items() if at in was),
        opened=tuple(f"{key} {at}" for at, key in now.items() if at not in was),
        closed=tuple(f"{key} {at}" for at, key in was.items() if at not in now),
    )


def _listeners(config: Config) -> dict[Address, str]:
    """Address → the key it stands at."""
    found = dict.fromkeys(config.listen, "listen")
    for route in config.routes:
        if route.listen is not None:
            found.setdefault(route.listen, "routes")
    for key, address in (("admin", config.admin), ("metrics", config.metrics)):
        if address is not None:
            found[address] = key
    return found


def _routes(before: Config, after: Config) -> dict[str, Any]:
    was = {_place(route): route for route in before.routes}
    now = {_place(route): route for route in after.routes}
    reasons = {place: tuple(_different(was[place], now[place])) for place in now if place in was}
    return {
        "routes_kept": tuple(_label(now[place]) for place in reasons if not reasons[place]),
        "routes_changed": tuple(
            ChangedRoute(_label(now[place]), why) for place, why in reasons.items() if why
        ),
        "routes_added": tuple(_label(now[place]) for place in now if place not in was),
        "routes_removed": tuple(_label(was[place]) for place in was if place not in now),
    }


def _place(route: Route) -> tuple[object, ...]:
    return route.listen, route.host, route.path


def _label(route: Route) -> str:
    """As logs and metrics call it."""
    return f"{route.listen or route.host or ''}{route.path}"


def _settings(before: Config, after: Config) -> Iterator[str]:
    for field in dataclasses.fields(Config):
        if field.compare and field.name not in _TOLD_APART:
            was, now = getattr(before, field.name), getattr(after, field.name)
            yield from _differing(_KEYS.get(field.name, field.name), was, now)
    for name, now in after.credentials.items():
        was = before.credentials.get(name)
        if was is not None and was.clients != now.clients:
            yield f"credentials.{name}.clients"


def _different(was: Any, now: Any, prefix: str = "") -> Iterator[str]:
    """The keys in which two of a kind differ."""
    for field in dataclasses.fields(was):
        if field.compare:
            inside = field.name in _WITHIN
            key = prefix + _KEYS.get(field.name, field.name)
            yield from _differing(key, getattr(was, field.name), getattr(now, field.name), inside)


def _differing(key: str, was: Any, now: Any, inside: bool = False) -> Iterator[str]:
    if was == now:
        return
    if isinstance(was, Mapping) and isinstance(now, Mapping) and key == "clients":
        names = dict.fromkeys([*was, *now])
        yield from (f"{key}.{name}" for name in names if was.get(name) != now.get(name))
    elif isinstance(was, _SECTIONS) and type(was) is type(now):
        yield from _different(was, now, "" if inside else f"{key}.")
    else:
        yield key
