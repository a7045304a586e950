"""Collects what is wrong with one file and knows where each part of it stands.

A part is named by its trail, the keys and indices that lead to it. A message names keys and
positions, never a value that could be a secret.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from proxy.config.model import Position
from proxy.errors import ConfigurationError, Problem

Trail = tuple[str | int, ...]
Mark = tuple[int, int]
"""Line and column, both from 1."""


def nearest(word: str, known: Iterable[str]) -> str | None:
    """The known word that ``word`` was probably meant to be."""
    close = difflib.get_close_matches(word.lower(), list(known), n=1, cutoff=0.6)
    return close[0] if close else None


def suggestion(word: str, known: Iterable[str]) -> str:
    """``; did you mean ...?``, or nothing where no known word is near."""
    close = nearest(word, known)
    return f"; did you mean `{close}`?" if close else ""


class Report:
    """The problems and warnings of one file, and what was left out because of them."""

    def __init__(self, file: str) -> None:
        self.file = file
        self.warnings: list[Problem] = []
        self._problems: list[Problem] = []
        self._keys: dict[Trail, Mark] = {}
        self._values: dict[Trail, Mark] = {}
        self._spoiled: set[Trail] = set()

    def mark(self, trail: Trail, value: Mark, key: Mark | None = None) -> None:
        """Remember where a value, and the key before it, stand."""
        self._values[trail] = value
        if key is not None:
            self._keys[trail] = key

    def at(self, trail: Trail) -> Position:
        """Where the value stands, or the nearest thing around it that stands in the file."""
        return Position(self.file, *self._values.get(self.standing(trail), (1, 1)))

    def standing(self, trail: Trail) -> Trail:
        """The trail, cut to what stands in the file."""
        while trail and trail not in self._values:
            trail = trail[:-1]
        return trail

    def stands(self, trail: Trail) -> bool:
        """Whether something stands there in the file."""
        return trail in self._values

    def at_key(self, trail: Trail) -> Position:
        """Where the key of the value stands; of a list's item the item itself."""
        mark = self._keys.get(trail)
        return self.at(trail) if mark is None else Position(self.file, *mark)

    def problem(self, where: Position | Trail, message: str) -> None:
        """Something is wrong there."""
        position = where if isinstance(where, Position) else self.at(where)
        self._problems.append(position.problem(message))

    def warning(self, trail: Trail, message: str) -> None:
        """Something there works but should not stay."""
        self.warnings.append(self.at(trail).problem(message))

    def spoil(self, trail: Trail) -> None:
        """The value there was reported and left out: its absence is not a second mistake."""
        self._spoiled.add(trail)

    def spoiled(self, trail: Trail) -> bool:
        """Whether that value, or something around it, was reported and left out."""
        return any(trail[:length] in self._spoiled for length in range(1, len(trail) + 1))

    def section(self, *trail: str | int) -> Section:
        """The part of the file at ``trail``."""
        return Section(self, trail)

    def fail(self) -> ConfigurationError:
        """All problems so far, in the file's order, as the error to raise."""
        return ConfigurationError(
            sorted(dict.fromkeys(self._problems), key=lambda one: (one.line, one.column))
        )

    @property
    def clean(self) -> bool:
        """Whether nothing is wrong so far."""
        return not self._problems


class Section:
    """A mapping in the file: reports about its keys."""

    def __init__(self, report: Report, trail: Trail) -> None:
        self.report = report
        self.trail = trail

    def at(self, key: str) -> Position:
        """Where the value of ``key`` stands, else the section."""
        return self.report.at((*self.trail, key))

    @property
    def position(self) -> Position:
        """Where the section's own key stands."""
        return self.report.at_key(self.trail)

    def spoiled(self, key: str) -> bool:
        """Whether the value of ``key`` was reported already."""
        return self.report.spoiled((*self.trail, key))

    def wrong(self, key: str, message: str) -> None:
        """The value of ``key`` is wrong."""
        self.report.problem((*self.trail, key), message)

    def unfit(self, key: str, message: str) -> None:
        """``key`` itself does not belong here."""
        self.report.problem(self.report.at_key((*self.trail, key)), message)

    def missing(self, keys: str | tuple[str, ...], message: str) -> None:
        """None of ``keys`` is there; silent where one was there and is reported already."""
        names = (keys,) if isinstance(keys, str) else keys
        if not any(self.spoiled(name) for name in names):
            self.report.problem(self.position, message)

    def warn(self, key: str, message: str) -> None:
        """The value of ``key`` works but should not stay."""
        self.report.warning((*self.trail, key), message)

    def inner(self, key: str) -> Section:
        """The section under ``key``."""
        return Section(self.report, (*self.trail, key))
