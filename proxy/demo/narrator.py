"""The words between the scenes. Tells what is there and what was seen; decides nothing."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from rich import box
from rich.console import Console
from rich.padding import Padding
from rich.syntax import Syntax
from rich.text import Text

from proxy.demo.legacy import CHAT, INFER, JSON
from proxy.demo.report import Report
from proxy.demo.scenery import Scenery
from proxy.demo.screen import LABELS, WIDTH, tokens, work
from proxy.demo.setting import Doors, Where
from proxy.demo.verdict import Outcome

THEME: Final = "ansi_dark"


class Narrator:
    """Tells it on a console, terminal or not."""

    def __init__(self, console: Console) -> None:
        self._console = console

    def opening(self) -> None:
        """Before anything runs."""
        self._line("token-sidecar demo: all of it on this machine, no network, no account", "bold")

    def world(self, where: Where, lifetime: int) -> None:
        """Scene one: who is there."""
        self._heading(f"1. A provider whose tokens live {lifetime} s, an API that checks each one")
        self._line(f"   provider   {where.issuer}")
        self._line(f"   API        {where.api}")

    def alone(self, direct: Report) -> None:
        """Scene two: the program by itself."""
        self._heading("2. An old program that knows nothing of tokens, straight at the API")
        for kind, status in direct.statuses.items():
            self._line(f"   {LABELS[kind]:<28} {status}", "red")

    def configuration(self, path: Path) -> None:
        """Scene three: what the sidecar is told."""
        self._heading("3. The sidecar, a process of its own, on this configuration file")
        self._line(f"   {path}", "dim")
        text = path.read_text().rstrip()
        if self._console.is_terminal:
            syntax = Syntax(text, "yaml", theme=THEME, background_color="default")
            self._console.print(Padding(syntax, (1, 0, 0, 3)))
            return
        self._line("")
        for line in text.splitlines():
            self._line(f"   {line}".rstrip())

    def ready(self, pid: int, doors: Doors, seconds: float) -> None:
        """The sidecar is there."""
        self._line("")
        self._line(f"   process {pid}, ready at http://{doors.listen} after {seconds:.1f} s")

    def work(self, doors: Doors, seconds: float) -> None:
        """Scene four: the program again, its only change the address."""
        self._heading(f"4. The same program for {seconds:g} s, now sent to {doors.listen}")

    def passed(self, outcome: Outcome, sentences: Sequence[str]) -> None:
        """The good end."""
        frame = box.ROUNDED if self._console.is_terminal else box.ASCII
        self._console.print(work(outcome.report, frame), tokens(outcome.held, frame))
        self._heading("What happened")
        for sentence in sentences:
            self._item(sentence)
        self._line("")
        self._line("It works: the program never saw a token, and never missed one.", "bold green")

    def interrupted(self) -> None:
        """Somebody had enough."""
        self._line("")
        self._line("Ended; nothing is left behind.")

    def failed(self, reasons: Sequence[str]) -> None:
        """The bad end."""
        self._heading("The demonstration failed", "bold red")
        for reason in reasons:
            self._item(reason)

    def invitation(self, scenery: Scenery, where: Where, doors: Doors) -> None:
        """What to try while it keeps running."""
        sidecar, admin = f"http://{doors.listen}", f"http://{doors.admin}"
        record = (f"    -H 'Content-Type: {JSON}' \\", f"    -d @{scenery.record}")
        self._heading("It keeps running. Try, from another terminal:")
        self._lines(f"curl {sidecar}{INFER} \\", *record)
        self._lines(f"curl -N {sidecar}{CHAT} -d '{{}}'")
        self._lines(f"curl {admin}/v1/status", f"curl {admin}/metrics")
        self._heading("And at the API itself, which answers 401:")
        self._lines(f"curl -i {where.api}{INFER} \\", *record)
        self._heading("Ctrl-C ends it and clears it away. Until then the sidecar's log is")
        self._lines(str(scenery.log("sidecar")))

    def _heading(self, text: str, style: str = "bold") -> None:
        self._line("")
        self._line(text, style)

    def _lines(self, *texts: str) -> None:
        for text in texts:
            self._line(f"   {text}")

    def _line(self, text: str, style: str = "") -> None:
        """As it is: addresses and commands are not broken, so that they can be copied."""
        self._console.print(Text(text, style=style), soft_wrap=True)

    def _item(self, text: str) -> None:
        first, *others = text.splitlines() or [""]
        lines = Text(first).wrap(self._console, min(WIDTH, self._console.width) - 5)
        for number, line in enumerate(lines):
            self._line(f"{'   ' if number else ' - '}{line.plain.rstrip()}")
        for other in others:
            self._line(f"   {other}")
