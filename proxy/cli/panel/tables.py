"""The two tables, the worst first: credentials, and routes with what was usual lately."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from rich.table import Table
from rich.text import Text

from proxy.cli.panel import words
from proxy.cli.panel.lately import Status
from proxy.cli.panel.troubles import reasons
from proxy.cli.panel.view import LEVELS, STYLES, View
from proxy.cli.panel.words import clean, span

_STATES: Final = {
    "valid": "live token",
    "unavailable": "no token",
    "empty": "not used yet",
}
_BARS: Final = "▁▂▃▄▅▆▇█"
_WIDTH: Final = 10


def credentials(view: View, most: int | None) -> Table:
    """At most so many credentials."""
    known: dict[str, Any] = view.status["credentials"]
    names = sorted(known, key=lambda name: (LEVELS.index(known[name]["level"]), name))
    table = _table(
        f"Credentials {len(names)}", "State", "Token's age", "Next", "Last error", names, most
    )
    for name in names[:most]:
        one = known[name]
        table.add_row(
            Text(clean(name), "bold"),
            Text(f"{view.sign(one['level'])} {_state(one)}", STYLES[one["level"]]),
            _age(one, view),
            _next(one, view),
            _error(one),
        )
    return table


def _table(title: str, *heads: Any) -> Table:
    *columns, names, most = heads
    left = 0 if most is None else len(names) - most
    table = Table(box=None, expand=True, pad_edge=False, header_style="dim", caption_justify="left")
    table.add_column(
        title, ratio=3, min_width=len(title), no_wrap=most is not None, overflow="ellipsis"
    )
    for number, column in enumerate(columns):
        last = number == len(columns) - 1
        table.add_column(
            column,
            ratio=6 if last else None,
            no_wrap=most is not None or not last,
            overflow="ellipsis" if most is not None else "fold",
        )
    if left > 0:
        table.caption = f"and {left:,} more, no worse than these"
    return table


def _state(one: Status) -> str:
    if one.get("callers") is not None:
        return words.many(one["callers"], "caller")
    if one["level"] == "at_risk":
        return "renewal fails"
    return _STATES.get(one["state"], str(one["state"]))


def _age(one: Status, view: View) -> Text:
    lives, left = one["lifetime_seconds"], one["expires_in_seconds"]
    if left is None or not lives or not left:
        lasting = one["field"] and lives is None
        return Text("does not expire" if lasting else "–", "dim")
    left = max(0.0, left - view.aged)
    full = min(_WIDTH, round(_WIDTH * (1 - left / lives)))
    used, rest = ("#", "-") if view.ascii else ("━", "─")
    return Text.assemble((used * full, "blue"), (rest * (_WIDTH - full), "dim"), f" {span(left)}")


def _next(one: Status, view: View) -> str:
    due = one["next_renewal_in_seconds"]
    if due is None:
        return "–"
    return "now" if due <= view.aged else f"in {span(due - view.aged)}"


def _error(one: Status) -> Text:
    error = one["last_error"]
    if error is None:
        return Text("none", "dim")
    if one["failing_since"] is None and one["level"] == "well":
        return Text(f"over: {clean(error['seen'])}, {words.moment(error['at'])}", "dim")
    told = clean(error["meaning"] or error["seen"])
    return Text.assemble(words.sentence(told), " ", (words.capital(clean(error["advice"])), "bold"))


def routes(view: View, most: int | None) -> Table:
    """At most so many routes."""
    lately, status = view.lately, view.status
    labels = sorted(
        status["routes"], key=lambda label: (-lately.failed(label), -lately.rate(label), label)
    )
    table = _table(f"Routes {len(labels)}", "Requests", "p50", "p99", "Failed, 1 min", labels, most)
    for label in labels[:most]:
        table.add_row(
            Text(clean(label) or "no route", "bold"),
            Text.assemble(
                f"{words.rate(lately.rate(label)):>8} ", (_spark(lately.rates(label), view), "blue")
            ),
            words.taken(lately.quantile(0.5, label)),
            words.taken(lately.quantile(0.99, label)),
            _failed(status, label, lately.failed(label)),
        )
    return table


def _spark(rates: Sequence[float], view: View) -> str:
    last = rates[-2 * _WIDTH :]
    most = max(last, default=0.0)
    if view.ascii or not most:
        return ""
    return "".join(_BARS[round((len(_BARS) - 1) * one / most)] for one in last)


def _failed(status: Status, label: str, count: int) -> Text:
    if not count:
        return Text("none", "dim")
    why = next(iter(reasons(status, label)), "")
    return Text.assemble((f"{count:,} ", STYLES["at_risk"]), clean(why))
