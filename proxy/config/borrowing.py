"""Credentials that take the token of another one: the names must lead somewhere, and not round."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from proxy.config.model import Credential, FromCredential, FromRequest, Grant
from proxy.config.report import Report, suggestion

_KEYS: Final = ("subject", "actor")


def check_borrowing(credentials: Mapping[str, Credential], report: Report) -> None:
    """Report every name of another credential that can't be meant."""
    told: set[frozenset[str]] = set()
    for credential in credentials.values():
        for key, name in _borrowed(credential):
            trail = ("credentials", credential.name, key, "credential")
            if fault := _fault(name, credentials, report):
                report.problem(trail, fault)
            elif (ring := _ring(credential.name, name, credentials)) and frozenset(
                ring
            ) not in told:
                told.add(frozenset(ring))
                report.problem(trail, f"`credential` goes round: {' → '.join(ring)}")


def _borrowed(credential: Credential) -> Iterator[tuple[str, str]]:
    for key in _KEYS:
        whose = getattr(credential, key)
        if isinstance(whose, FromCredential):
            yield key, whose.credential


def _fault(name: str, credentials: Mapping[str, Credential], report: Report) -> str | None:
    found = credentials.get(name)
    if found is None:
        if report.spoiled(("credentials", name)):
            return None
        hint = suggestion(name, credentials)
        return f"`credential` names `{name}`, which is not in credentials{hint}"
    if found.grant is Grant.SESSION:
        return f"`credential` names `{name}`, a session: its cookies are no token to exchange"
    if isinstance(found.subject, FromRequest):
        return f"`credential` names `{name}`, which has a token for each caller and none of its own"
    return None


def _ring(start: str, following: str, credentials: Mapping[str, Credential]) -> list[str]:
    """The names from ``start`` through ``following`` back to it; empty if none leads back."""
    paths, seen = [[start, following]], {following}
    while paths:
        path = paths.pop()
        if path[-1] == start:
            return path
        if path[-1] in credentials:
            names = [name for _, name in _borrowed(credentials[path[-1]]) if name not in seen]
            seen.update(names)
            paths += [[*path, name] for name in names]
    return []
