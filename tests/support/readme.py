"""The recipes that pages show: the YAML below a line ``<!-- recipe: NAME -->``."""

from __future__ import annotations

import re
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
README = REPOSITORY / "README.md"
PROVIDERS = REPOSITORY / "docs" / "providers.md"
BLOCK = re.compile(r"<!-- recipe: (\S+) -->\s*```yaml\n(.*?)```", re.DOTALL)


def recipes(page: Path = README) -> dict[str, str]:
    """Name → text, in the page's order."""
    return dict(BLOCK.findall(page.read_text()))
