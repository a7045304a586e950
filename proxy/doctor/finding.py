"""What was found at one step; nothing secret in it. Knows neither terminals nor exit codes."""

from __future__ import annotations

import enum
from dataclasses import dataclass


class State(enum.StrEnum):
    """How a step went."""

    GOOD = "good"
    NOTE = "note"
    """Works, or was not tried, and a person should know."""
    BAD = "bad"


class Kind(enum.StrEnum):
    """What is wrong where a step went badly: it decides the exit code."""

    CONFIGURATION = "configuration"
    REFUSED = "refused"
    UNREACHABLE = "unreachable"


@dataclass(frozen=True, slots=True)
class Finding:
    """One step's result.

    Attributes:
        subject: the credential or the route it is about; empty for the whole file.
        step: the step's name, the same in every run.
        told: what was seen.
        cause: a short stable name of what is wrong, e.g. ``wrong_secret``; empty where nothing is.
        advice: what to do.
        kind: None where nothing is wrong.
    """

    subject: str
    step: str
    state: State
    told: str
    cause: str = ""
    advice: str = ""
    kind: Kind | None = None


def good(subject: str, step: str, told: str) -> Finding:
    """The step went well."""
    return Finding(subject, step, State.GOOD, told)


def note(subject: str, step: str, told: str, advice: str = "", cause: str = "") -> Finding:
    """Something that a person should know."""
    return Finding(subject, step, State.NOTE, told, cause, advice)


def bad(subject: str, step: str, kind: Kind, cause: str, told: str, advice: str = "") -> Finding:
    """Something is wrong, and this is it."""
    return Finding(subject, step, State.BAD, told, cause, advice, kind)
