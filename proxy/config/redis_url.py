"""Reads where Redis is: one server, the one that Sentinels name, or a cluster.

Like ``addresses``: what is read, or UnfitError with the rest of a sentence, the value unsaid: it
may hold a password. After redis-py's URLs; those for Sentinels and clusters, which it has none
for, name several hosts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final
from urllib.parse import unquote

from proxy.config.addresses import host
from proxy.config.model import RedisPlace
from proxy.config.scalars import UnfitError, text
from proxy.secret import Secret

_URL: Final = re.compile(
    r"(?P<scheme>rediss?)(?:\+(?P<kind>sentinel|cluster|unix))?://"
    r"(?:(?P<user>[^:@/]*)(?::(?P<password>[^@/]*))?@)?(?P<hosts>[^/@]*)(?P<path>/.*)?"
)
_HOST: Final = re.compile(r"(\[[^\]]*\]|[^:\[\]]+)(?::([0-9]{1,5}))?")
_FORMS: Final = (
    "must be redis://[user@]host:6379/0, rediss:// for TLS,"
    " rediss+sentinel://host:26379,host:26379/service/0, rediss+cluster://host:6379,host:6379,"
    " or redis+unix:///path"
)


@dataclass(frozen=True, slots=True)
class RedisUrl:
    """What a URL says: the place, and the password if there is one."""

    place: RedisPlace
    password: Secret | None = None


def redis_url(value: object) -> RedisUrl:
    """The place that a URL names."""
    found = _URL.fullmatch(text(value))
    if found is None:
        raise UnfitError(_FORMS)
    kind, path = found["kind"] or "tcp", found["path"] or ""
    place = _place(kind, found["hosts"], path, found["user"], secure=found["scheme"] == "rediss")
    password = found["password"]
    return RedisUrl(place, Secret(unquote(password)) if password else None)


def _place(kind: str, hosts: str, path: str, user: str | None, *, secure: bool) -> RedisPlace:
    username = unquote(user) if user else None
    match kind:
        case "unix" if not hosts and len(path) > 1 and not secure:
            return RedisPlace("unix", path=unquote(path), username=username)
        case "tcp" if "," not in hosts:
            db = _number(path.strip("/"))
            return RedisPlace("tcp", _hosts(hosts, 6379), username=username, db=db, secure=secure)
        case "cluster" if path in ("", "/"):
            return RedisPlace("cluster", _hosts(hosts, 6379), username=username, secure=secure)
        case "sentinel":
            return _sentinels(hosts, path, username, secure=secure)
    raise UnfitError(_FORMS)


def _sentinels(hosts: str, path: str, username: str | None, *, secure: bool) -> RedisPlace:
    service, _, db = path.strip("/").partition("/")
    if not service:
        raise UnfitError("must name the service behind the Sentinels: redis+sentinel://host/NAME")
    return RedisPlace(
        "sentinel",
        _hosts(hosts, 26379),
        username=username,
        service=unquote(service),
        db=_number(db),
        secure=secure,
    )


def _hosts(written: str, usual: int) -> tuple[tuple[str, int], ...]:
    return tuple(_host(one, usual) for one in written.split(","))


def _host(written: str, usual: int) -> tuple[str, int]:
    found = _HOST.fullmatch(written)
    if found is None or int(found[2] or usual) not in range(1, 65536):
        raise UnfitError(_FORMS)
    return host(found[1]), int(found[2] or usual)


def _number(written: str) -> int:
    if written and not (written.isascii() and written.isdigit()):
        raise UnfitError("must end with the number of the database: redis://host:6379/0")
    return int(written or 0)
