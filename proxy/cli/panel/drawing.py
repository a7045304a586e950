"""One look as it is drawn in a terminal: the verdict, the credentials and the routes, worst first.

Decides what is left out where there is no room; each table says how much that is.
"""

from __future__ import annotations

from typing import Final

from rich.console import Console, Group, RenderableType
from rich.text import Text

from proxy.cli.panel.heading import head, notes
from proxy.cli.panel.lately import Status
from proxy.cli.panel.tables import credentials, routes
from proxy.cli.panel.view import View

TABLES: Final = 6
"""Lines of both tables that are no rows: two heads, two captions, two blank lines."""
LEAST: Final = 2


def draw(view: View) -> RenderableType:
    """Everything there is to show."""
    above, below = list(head(view)), list(notes(view.status))
    room = None
    if view.room is not None:
        console = Console(width=view.width)
        taken = sum(len(one.wrap(console, view.width)) for one in (*above, *below))
        room = max(LEAST, view.room - taken - TABLES)
    first, second = _shares(view.status, room)
    parts: list[RenderableType] = [*above, Text(""), credentials(view, first)]
    if view.status["routes"]:
        parts += [Text(""), routes(view, second)]
    return Group(*parts, *below)


def _shares(status: Status, room: int | None) -> tuple[int | None, int | None]:
    """How many rows each table gets: half each, and what the other does not need."""
    if room is None:
        return None, None
    credentials, routes = len(status["credentials"]), len(status["routes"])
    first = min(credentials, max(room // 2, room - routes))
    return first, max(1, room - first)
