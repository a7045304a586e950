"""What pages show that tests run: recipes, and the steps of quick starts.

A comment on the line above a block says what it is:

    <!-- recipe: NAME -->   a whole configuration
    <!-- file: NAME -->     to be saved under this name, in the reader's directory or below ~
    <!-- yours -->          ``export NAME=value`` lines, whose values are each reader's own
    <!-- run -->            commands, to be run to their end
    <!-- start -->          a command that goes on, in a terminal of its own
    <!-- prints -->         what the commands before print: these lines, where … is anything
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
README = REPOSITORY / "README.md"
PROVIDERS = REPOSITORY / "docs" / "providers.md"
BLOCK = re.compile(r"<!-- recipe: (\S+) -->\s*```yaml\n(.*?)```", re.DOTALL)
STEP = re.compile(
    r"<!-- (file|yours|run|start|prints)(?:: (\S+))? -->\n```(\S+)\n(.*?)^```$",
    re.DOTALL | re.MULTILINE,
)


@dataclass(frozen=True, slots=True)
class Step:
    """One block of a page.

    Attributes:
        kind: what its comment says it is.
        name: a file's, else empty.
        language: of the block.
    """

    kind: str
    name: str
    language: str
    text: str


def recipes(page: Path = README) -> dict[str, str]:
    """Name → text, in the page's order."""
    return dict(BLOCK.findall(page.read_text()))


def steps(page: Path) -> tuple[Step, ...]:
    """What a reader of the page does, in its order."""
    return tuple(Step(*found) for found in STEP.findall(page.read_text()))


def printed(shown: str, out: str) -> bool:
    """Whether the lines of a ``prints`` block stand in ``out``, in their order."""
    lines = (".*".join(map(re.escape, line.split("…"))) for line in shown.splitlines())
    return (
        re.search(r".*".join(f"^{line}$" for line in lines), out, re.DOTALL | re.MULTILINE)
        is not None
    )
