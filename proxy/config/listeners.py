"""Resolves where we listen: who may reach it, and that no two listeners are the same.

Also tells whether an upstream's URL is one of them, which would be a loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from proxy.config.addresses import is_loopback
from proxy.config.file_keys import FileKeys
from proxy.config.model import Address, Certificate, Upstream
from proxy.config.report import Report, Trail
from proxy.config.surroundings import Surroundings, unreadable

_LISTEN: Final = Address("127.0.0.1", 8080)
_ADMIN: Final = Address("127.0.0.1", 8081)
_ANY: Final = ("0.0.0.0", "::")  # noqa: S104 - recognized here, bound only with allow_remote
_HERE: Final = ("localhost", "127.0.0.1", "::1", *_ANY)


@dataclass(frozen=True, slots=True)
class Listeners:
    """All of them; ``routes`` by the route's index; ``certificates`` of those with TLS."""

    main: tuple[Address, ...]
    admin: Address | None
    metrics: Address | None
    routes: dict[int, Address]
    certificates: dict[Address, Certificate]

    def answering(self, upstream: Upstream) -> Address | None:
        """The listener that a connection to ``upstream`` would reach."""
        for one in (*self.main, self.admin, self.metrics, *self.routes.values()):
            if one and one.port == upstream.port and _reaches(upstream.host, one.host):
                return one
        return None


def resolve(file: FileKeys, report: Report, around: Surroundings) -> Listeners:
    """The file's listeners; mistakes go to ``report``."""
    listeners = Listeners(
        main=tuple(_main(file, report, around)),
        admin=_toggled(file, "admin", _ADMIN, report, around),
        metrics=_toggled(file, "metrics", None, report, around),
        routes={
            index: _absolute(route.listen, around)
            for index, route in enumerate(file.routes)
            if route.listen
        },
        certificates=dict(_certificates(file, report, around)),
    )
    _refuse_remote(listeners, file, report)
    _refuse_twins(listeners, report)
    return listeners


def _main(file: FileKeys, report: Report, around: Surroundings) -> Iterator[Address]:
    if file.listen == []:
        report.problem(("listen",), "`listen` must name at least one address")
    for index, keys in enumerate(file.listen or ()):
        if keys.address:
            yield _absolute(keys.address, around)
        elif not (
            report.spoiled(("listen", "address")) or report.spoiled(("listen", index, "address"))
        ):
            report.problem(("listen", index), "`listen` needs an `address`")
    if not file.listen and not report.spoiled(("listen",)):
        yield _LISTEN


def _certificates(
    file: FileKeys, report: Report, around: Surroundings
) -> Iterator[tuple[Address, Certificate]]:
    for index, keys in enumerate(file.listen or ()):
        if keys.tls is None or keys.address is None:
            continue
        listed = ("listen", index) if report.stands(("listen", index)) else ("listen",)
        section = report.section(*listed, "tls")
        if keys.tls.cert_file is None:
            section.missing("cert_file", "`tls` needs a `cert_file`")
            continue
        files = {"cert_file": keys.tls.cert_file, "key_file": keys.tls.key_file}
        paths = {name: around.path(one) for name, one in files.items() if one}
        for name, path in paths.items():
            if fault := unreadable(path):
                section.wrong(name, f"`{name}` {fault}")
        yield (
            _absolute(keys.address, around),
            Certificate(paths["cert_file"], paths.get("key_file"), section.at("cert_file")),
        )


def _toggled(
    file: FileKeys, key: str, default: Address | None, report: Report, around: Surroundings
) -> Address | None:
    if report.spoiled((key,)):
        return None
    given: Address | None = getattr(file, key) if key in file.model_fields_set else default
    return _absolute(given, around) if given else None


def _absolute(address: Address, around: Surroundings) -> Address:
    return Address(path=str(around.path(address.path))) if address.path else address


def _refuse_remote(listeners: Listeners, file: FileKeys, report: Report) -> None:
    if listeners.admin and _remote(listeners.admin):
        report.problem(
            ("admin",),
            "`admin` can't be reached from other machines: use loopback or unix:/path; "
            "`metrics` may be remote",
        )
    for trail, address in _data_plane(listeners):
        if _remote(address) and not file.allow_remote:
            report.problem(
                trail,
                f"`{trail[0] if trail[0] == 'listen' else trail[-1]}` is reached from other "
                "machines: use loopback, or say `allow_remote: true`",
            )


def _data_plane(listeners: Listeners) -> Iterator[tuple[Trail, Address]]:
    for index, address in enumerate(listeners.main):
        yield ("listen", index), address
    for index, address in listeners.routes.items():
        yield ("routes", index, "listen"), address


def _remote(address: Address) -> bool:
    return not address.path and not is_loopback(address.host)


def _refuse_twins(listeners: Listeners, report: Report) -> None:
    seen: list[tuple[Trail, Address]] = []
    control = [(("admin",), listeners.admin), (("metrics",), listeners.metrics)]
    everything: list[tuple[Trail, Address | None]] = [*_data_plane(listeners), *control]
    for trail, address in everything:
        if address is None:
            continue
        for other, earlier in seen:
            if not _may_share(trail, other, address, earlier) and _clash(address, earlier):
                _report_twins(trail, other, report)
                break
        seen.append((trail, address))


def _may_share(trail: Trail, other: Trail, address: Address, earlier: Address) -> bool:
    """Several routes may have one listener of their own together."""
    return trail[0] == other[0] == "routes" and address == earlier


def _report_twins(trail: Trail, other: Trail, report: Report) -> None:
    if not report.stands(trail[:1]):  # a default: the one that is written can be changed
        trail, other = other, trail
    name = "listen" if "listen" in trail else trail[0]
    line = report.at(other).line
    where = f"on line {line}" if report.stands(other[:1]) else f"that `{other[0]}` has by default"
    report.problem(trail, f"`{name}` is the same address as the one {where}: choose another")


def _clash(one: Address, other: Address) -> bool:
    if one.path or other.path:
        return one == other
    if one.port != other.port or one.port == 0:
        return False
    if one.host == other.host or one.host in _ANY or other.host in _ANY:
        return {one.host, other.host} != set(_ANY)
    return "localhost" in (one.host, other.host) and {one.host, other.host} <= set(_HERE)


def _reaches(host: str, listener: str) -> bool:
    name = "localhost" if host.endswith(".localhost") else host
    if name == listener or (name in _HERE and listener in _HERE):
        return True
    return listener in _ANY and is_loopback(name)
