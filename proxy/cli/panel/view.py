"""One look, and the signs and colours of levels; a colour never tells what a sign does not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from rich.text import Text

from proxy.cli.panel.lately import Lately, Status

LEVELS: Final = ("failing", "at_risk", "starting", "well")
STYLES: Final = {
    "failing": "bold red",
    "at_risk": "yellow",
    "starting": "cyan",
    "well": "green",
    "offline": "bold magenta",
}
_SIGNS: Final = {"failing": "✕", "at_risk": "▲", "starting": "…", "well": "✓", "offline": "⌁"}
_PLAIN: Final = {"failing": "x", "at_risk": "!", "starting": ".", "well": "+", "offline": "?"}


@dataclass(frozen=True, slots=True)
class View:
    """One look.

    Attributes:
        status: what ``/v1/status`` said last.
        now: the moment of the drawing, in seconds since the epoch.
        width: columns that there are.
        room: lines that there are; None: as many as are wanted.
        aged: seconds since ``status`` was told.
        lost: since when nobody answers, in seconds since the epoch; None: somebody does.
        ascii: nothing but ASCII can be shown.
    """

    status: Status
    lately: Lately
    now: float
    width: int = 80
    room: int | None = None
    aged: float = 0.0
    lost: float | None = None
    ascii: bool = False

    def sign(self, level: str) -> str:
        """One character for a level."""
        return (_PLAIN if self.ascii else _SIGNS)[level]

    def line(self, level: str, text: str) -> Text:
        """Text of a level, with its sign."""
        return Text(f"{self.sign(level)} {text}", STYLES[level])
