"""The recipes that README shows: the YAML below a line ``<!-- recipe: NAME -->``."""

from __future__ import annotations

import re
from pathlib import Path

README = Path(__file__).resolve().parents[2] / "README.md"
BLOCK = re.compile(r"<!-- recipe: (\S+) -->\s*```yaml\n(.*?)```", re.DOTALL)


def recipes() -> dict[str, str]:
    """Name → text, in README's order."""
    return dict(BLOCK.findall(README.read_text()))
