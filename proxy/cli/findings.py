"""Findings as a person reads them, as programs do, and as an exit code."""

from __future__ import annotations

import dataclasses
import json
import textwrap
from collections.abc import Mapping, Sequence
from typing import Final, TextIO

import click

from proxy.cli.failure import CONFIGURATION, REFUSED, UNREACHABLE
from proxy.doctor.finding import Finding, Kind, State

WIDTH: Final = 100
_MARKS: Final = {
    State.GOOD: ("✓", "ok", "green"),
    State.NOTE: ("!", "!", "yellow"),
    State.BAD: ("✗", "NO", "red"),
}
_CODES: Final = {
    Kind.CONFIGURATION: CONFIGURATION,
    Kind.REFUSED: REFUSED,
    Kind.UNREACHABLE: UNREACHABLE,
}


def code(found: Sequence[Finding]) -> int:
    """The exit code: what is nearest to the reader outweighs the rest."""
    kinds = {one.kind for one in found}
    return next((number for kind, number in _CODES.items() if kind in kinds), 0)


def as_json(found: Sequence[Finding]) -> str:
    """All of it for programs."""
    listed = [dataclasses.asdict(one) for one in found]
    whole = {"ok": code(found) == 0, "exit_code": code(found), "findings": listed}
    return json.dumps(whole, indent=2, ensure_ascii=False)


class Printer:
    """Prints findings as they come.

    Args:
        stream: None prints nothing.
        environ: NO_COLOR and TERM; colours are for terminals alone.
    """

    def __init__(self, stream: TextIO | None, environ: Mapping[str, str]) -> None:
        self._stream = stream
        self._subject = ""
        plain = bool(environ.get("NO_COLOR")) or environ.get("TERM") == "dumb"
        self._colours = stream is not None and stream.isatty() and not plain
        self._ticks = stream is not None and _can_show(stream, "✓✗→")

    def show(self, finding: Finding) -> None:
        """Print one, below its subject."""
        if self._stream is None:
            return
        if finding.subject != self._subject:
            self._subject = finding.subject
            self._line(click.style(f"\n{finding.subject}", bold=True))
        tick, word, colour = _MARKS[finding.state]
        mark = click.style(tick if self._ticks else word, fg=colour)
        self._line(f"  {mark} {_wrapped(f'{finding.step}: {finding.told}', '    ')}")
        if finding.advice:
            self._line(f"      {_wrapped(finding.advice, '      ')}")

    def conclude(self, found: Sequence[Finding]) -> None:
        """Say what came of it."""
        wrong = [one for one in found if one.state is State.BAD]
        causes = ", ".join(f"{one.subject or 'file'}: {one.cause}" for one in wrong)
        said = f"wrong: {causes}" if wrong else "nothing is wrong"
        self._line(click.style(f"\n{said}", bold=True))

    def _line(self, text: str) -> None:
        if self._stream is not None:
            shown = text if self._ticks else text.replace("→", "->")
            click.echo(shown, file=self._stream, color=self._colours)


def _wrapped(text: str, indent: str) -> str:
    lines = textwrap.wrap(text, WIDTH - len(indent), break_long_words=False, break_on_hyphens=False)
    return f"\n{indent}".join(lines)


def _can_show(stream: TextIO, text: str) -> bool:
    try:
        text.encode(stream.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
