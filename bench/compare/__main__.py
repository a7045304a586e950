"""``make compare``: the same few situations for each program, tried; docs/comparison.md's table."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

from bench.compare.situations import LIFETIME, MEANINGLESS, SITUATIONS, Situation, twenty
from bench.compare.world import PROGRAMS, standing

PAGE = Path(__file__).parents[2] / "docs" / "comparison.md"
MARKED = re.compile(r"(<!-- tried by `make compare` -->\n).*?(<!-- so far -->\n)", re.DOTALL)


async def cell(name: str, situation: Situation) -> str:
    """What came of it; – where the program has no such situation."""
    if (name, situation) in MEANINGLESS:
        return "–"
    async with standing(name, 300 if situation is twenty else LIFETIME) as world:
        return await situation(world)


async def main() -> None:
    """Try everything, and write the page's table."""
    rows = [("", *PROGRAMS), ("---",) * (len(PROGRAMS) + 1)]
    for told, situation in SITUATIONS.items():
        rows.append((told, *[await cell(name, situation) for name in PROGRAMS]))
        print(*rows[-1], sep=" | ", flush=True)
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    PAGE.write_text(
        MARKED.sub(lambda found: f"{found[1]}\n{table}\n\n{found[2]}", PAGE.read_text())
    )


if __name__ == "__main__":
    asyncio.run(main())
