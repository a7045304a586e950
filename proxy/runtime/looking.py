"""How a configuration's credentials are doing: a running sidecar's word, else what the store shows.

Changes nothing and asks no provider.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from proxy.client.running import NobodyThereError
from proxy.clock import Moment, SystemClock
from proxy.runtime import visiting
from proxy.runtime.lending_out import Lending
from proxy.tokens.ports import Entry
from proxy.tokens.presence import left, still_serves

NOT_KEPT: Final = "not kept"
"""The state of what no store has while no sidecar runs."""


class Look(NamedTuple):
    """What was seen.

    Attributes:
        running: a sidecar told it.
        credentials: name → what ``/v1/status`` says of it, of which the store shows a part.
    """

    running: bool
    credentials: Mapping[str, Mapping[str, Any]]


def look(lending: Lending, environ: Mapping[str, str], tell: Callable[[str], None]) -> Look:
    """Look at all credentials.

    Raises:
        ConfigurationError: the configuration can't be used.
        StoreError: the store can't be used.
    """
    sidecar = lending.sidecar()
    if sidecar is not None:
        try:
            return Look(True, sidecar.status()["credentials"])
        except NobodyThereError:
            pass
    return Look(False, _stored(lending, environ, tell))


def _stored(
    lending: Lending, environ: Mapping[str, str], tell: Callable[[str], None]
) -> dict[str, dict[str, Any]]:
    known = lending.index.credentials
    kept = [name for name, one in known.items() if one.kept and one.lent]
    entries = visiting.entries(lending.config, kept, environ, tell) if kept else {}
    now = SystemClock().now()
    return {
        name: _described(entries[name], one.margin, now) if name in entries else {"state": NOT_KEPT}
        for name, one in known.items()
    }


def _described(entry: Entry, margin: float, now: Moment) -> dict[str, Any]:
    token = entry.token
    if token is None:
        return {"state": "empty", "generation": entry.generation}
    serves = still_serves(entry, now, margin)
    seconds = left(token, now)
    return {
        "state": "valid" if serves else "expired",
        "generation": entry.generation,
        "field": token.field,
        "expires_in_seconds": None if seconds is None else round(seconds, 3),
    }
