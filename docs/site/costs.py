"""The figures of docs/comparison.md, taken out of bench/RESULTS.md so that nobody copies them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

REPOSITORY: Final = Path(__file__).parents[2]
PAGE: Final = REPOSITORY / "docs" / "comparison.md"
RESULTS: Final = REPOSITORY / "bench" / "RESULTS.md"
_MARKED: Final = re.compile(r"(<!-- of bench/RESULTS.md -->\n).*?(<!-- so far -->\n)", re.DOTALL)
_PROXIES: Final = ("token-sidecar", "envoy", "nginx", "haproxy")
_SHOWN: Final = ("token-sidecar", "Envoy", "nginx", "HAProxy")


def page() -> str:
    """The page as it should be."""
    table = "\n".join(_lines())
    return _MARKED.sub(lambda found: f"{found[1]}\n{table}\n\n{found[2]}", PAGE.read_text())


def _lines() -> Iterator[str]:
    yield f"| | {' | '.join(_SHOWN)} |"
    yield "|---|" + "---|" * len(_SHOWN)
    cases = _rows("Every peer")
    for case in dict.fromkeys(row[0] for row in cases):
        spent = {row[1]: row[2] for row in cases if row[0] == case}
        yield _line(f"{case}: processor, µs a request", spent)
    delays = _rows("Added latency")
    yield _line("added at the median, µs, 200 requests/s", {row[0]: row[3] for row in delays})
    yield _line("added at the 99th percentile, µs", {row[0]: row[4] for row in delays})
    memory = _rows("Memory")
    yield _line("resident afterwards, MB", {row[0]: row[1] for row in memory})
    yield _line("resident with 9,500 connections, MB", {row[0]: row[3] for row in memory})


def _line(told: str, figures: dict[str, str]) -> str:
    return f"| {told} | {' | '.join(figures[one] for one in _PROXIES)} |"


def _rows(heading: str) -> list[list[str]]:
    """The cells of the table below a heading, without its first two lines."""
    _, _, below = RESULTS.read_text().partition(f"## {heading}")
    lines = [line for line in below.partition("\n## ")[0].splitlines() if line.startswith("|")]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines[2:]]
