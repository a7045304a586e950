"""What was measured, as tables for a terminal and for docs/fleet.md, and as its graph."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from bench.fleet.graph import svg

DOCS: Final = Path(__file__).resolve().parents[2] / "docs"
GRAPH, PAGE = DOCS / "fleet.svg", DOCS / "fleet.md"
BEGIN, END = "<!-- measured by `make fleet` -->\n", "<!-- so far -->\n"


class Report:
    """Tables, each printed as soon as it is there."""

    def __init__(self) -> None:
        self._tables: list[str] = []

    def table(self, title: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> None:
        """One more."""
        lines = [_row(head), _row(["---"] * len(head)), *map(_row, rows)]
        text = "\n".join([f"### {title}", "", *lines, ""])
        print(text, flush=True)
        self._tables.append(text)

    def graph(self, rows: Sequence[tuple[int, int, int]]) -> None:
        """Token requests an hour, alone and together, for so many sidecars."""
        series = {
            "each alone": [(count, alone) for count, alone, _ in rows],
            "one store": [(count, shared) for count, _, shared in rows],
        }
        title = "Token requests an hour, tokens of 5 minutes"
        GRAPH.write_text(svg(title, "sidecars", "token requests an hour", series))

    def publish(self) -> None:
        """Put the tables into the page, between the marks."""
        before, _, rest = PAGE.read_text().partition(BEGIN)
        _, _, after = rest.partition(END)
        whole = "\n".join(self._tables)
        PAGE.write_text(f"{before}{BEGIN}\n{whole}\n{END}{after}")


def _row(cells: Sequence[object]) -> str:
    return "| " + " | ".join(map(_cell, cells)) + " |"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)
