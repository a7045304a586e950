"""What was measured, as small tables for the end of the run."""

from __future__ import annotations

from collections.abc import Sequence


class Report:
    """Tables by title, in the order in which their first row came."""

    def __init__(self) -> None:
        self._tables: dict[str, list[tuple[str, ...]]] = {}

    def row(self, title: str, **cells: object) -> None:
        """Add a row; the first row's names are the columns."""
        table = self._tables.setdefault(title, [tuple(name.replace("_", " ") for name in cells)])
        table.append(tuple(str(cell) for cell in cells.values()))

    def lines(self) -> list[str]:
        """The whole report."""
        return [
            line for title, rows in self._tables.items() for line in (title, *aligned(rows), "")
        ]


def aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    """Rows with their columns below each other."""
    widths = [max(len(cell) for cell in column) for column in zip(*rows, strict=True)]
    return ["  " + "  ".join(map(str.ljust, row, widths)).rstrip() for row in rows]
