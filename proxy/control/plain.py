"""The status as plain HTML tables, for whoever has scripts switched off, and for ``curl``.

Everything that comes from the configuration or a provider is escaped.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from html import escape
from typing import Final

from proxy.control.explaining import explained
from proxy.control.snapshot import Snapshot
from proxy.control.verdict import WORST_FIRST, Trouble, level, verdict
from proxy.plane.totals import RouteTotals
from proxy.tokens.status import CredentialStatus

_CREDENTIALS: Final = ("Credential", "State", "Expires in", "Next renewal in", "Last error")
_ROUTES: Final = ("Route", "Requests", "Failed here", "In flight", "Average time")


def tables(snapshot: Snapshot) -> str:
    """The sentence on top, what is behind it, the credentials and the routes."""
    found = verdict(snapshot)
    credentials = sorted(snapshot.credentials, key=lambda one: WORST_FIRST.index(level(one)))
    return "".join(
        (
            f"<h2>{escape(found.says)}.</h2>",
            *(_trouble(one) for one in found.troubles),
            *(f"<p>Warning: {escape(one)}</p>" for one in snapshot.warnings),
            _table("Credentials", _CREDENTIALS, map(_credential, credentials)),
            _table("Routes", _ROUTES, (_route(*one) for one in snapshot.routes.items())),
        )
    )


def _trouble(one: Trouble) -> str:
    since = "" if one.since is None else f" Since {_moment(one.since)}."
    detail = f" ({one.detail})" if one.detail else ""
    return f"<p>{escape(f'{one.says}{detail}.{since} What to do: {one.advice}.')}</p>"


def _credential(one: CredentialStatus) -> Iterator[str]:
    yield one.name
    yield one.state
    yield _seconds(one.expires_in_seconds)
    yield _seconds(one.next_renewal_in_seconds)
    if one.last_error is None:
        yield "none"
    else:
        told = explained(one.last_error)
        yield f"{_moment(one.last_error.at_wall)}: {told.plainly}; {told.advice}"


def _route(label: str, totals: RouteTotals) -> Iterator[str]:
    count = sum(totals.requests.values())
    yield label or "(no route)"
    yield str(count)
    yield str(sum(totals.errors.values()))
    yield str(totals.in_flight)
    yield f"{totals.seconds / count * 1000:.1f} ms" if count else "–"


def _table(caption: str, heads: tuple[str, ...], rows: Iterable[Iterable[str]]) -> str:
    """Roles are said outright: on a narrow screen the style makes a table a list of cards."""
    head = "".join(f'<th scope="col" role="columnheader">{one}</th>' for one in heads)
    body = "".join(f'<tr role="row">{_cells(heads, row)}</tr>' for row in rows)
    return (
        f'<table role="table"><caption>{caption}</caption>'
        f'<thead role="rowgroup"><tr role="row">{head}</tr></thead>'
        f'<tbody role="rowgroup">{body}</tbody></table>'
    )


def _cells(heads: tuple[str, ...], row: Iterable[str]) -> str:
    first, *others = (escape(one) for one in row)
    cells = "".join(
        f'<td role="cell" data-label="{label}"><span>{one}</span></td>'
        for label, one in zip(heads[1:], others, strict=True)
    )
    return f'<th scope="row" role="rowheader">{first}</th>{cells}'


def _seconds(value: float | None) -> str:
    return "–" if value is None else f"{value:.0f} s"


def _moment(wall: float) -> str:
    return datetime.fromtimestamp(wall, UTC).isoformat(" ", "seconds").replace("+00:00", " UTC")
