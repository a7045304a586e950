"""What stands on top: the process, the verdict, what else is not well, and what is below all."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from rich.text import Text

from proxy.cli.panel import words
from proxy.cli.panel.lately import Status
from proxy.cli.panel.troubles import Trouble, judged
from proxy.cli.panel.view import View
from proxy.cli.panel.words import clean, span

MOST_OTHERS: Final = 5
MOST_WARNINGS: Final = 3


def head(view: View) -> Iterator[Text]:
    """The lines above the tables."""
    yield _title(view.status, view)
    if view.lost is not None:
        yield view.line(
            "offline",
            f"Not connected since {words.moment(view.lost)}, for {span(view.now - view.lost)}."
            " What follows is from then.",
        )
        return
    first, others = judged(view.status, view.lately)
    yield view.line(first["level"], words.sentence(clean(first["says"])))
    if first["since"]:
        passed = span(words.since(first["since"], view.now))
        yield Text(f"  Since {words.moment(first['since'])}, for {passed}.", "dim")
    if first["advice"]:
        yield Text.assemble("  What to do: ", (words.sentence(clean(first["advice"])), "bold"))
    yield from (_other(one, view) for one in others[:MOST_OTHERS])


def notes(status: Status) -> Iterator[Text]:
    """The lines below them."""
    for warning in status["warnings"][:MOST_WARNINGS]:
        yield Text(f"Warning: {clean(warning)}", "dim", no_wrap=True, overflow="ellipsis")


def _title(status: Status, view: View) -> Text:
    up = span(words.since(status["started"], view.now))
    title = Text.assemble(("token-sidecar", "bold"), f" {clean(status['version'])}  ")
    title.append(f"{clean(status['config'])}  running for {up}, ", "dim")
    title.append(
        f"{status['in_flight']} in flight, {words.many(status['connections'], 'connection')}", "dim"
    )
    return title


def _other(one: Trouble, view: View) -> Text:
    line = view.line(one["level"], words.sentence(clean(one["says"])))
    line.append(f" {words.capital(clean(one['advice']))}", "not bold")
    return line
