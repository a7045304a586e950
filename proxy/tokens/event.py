"""What a credential says to whoever logs: one event a line, nothing secret in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Level = Literal["debug", "info", "warning", "error"]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that happened to a credential.

    Attributes:
        kind: a stable word: ``renewed``, ``adopted``, ``failed``, ``rejected``, ``odd_answer``.
        credential: its name.
        message: one line for a person; holds no token and no secret.
        level: how loud.
        fields: the same facts for machines, fit for a log line.
    """

    kind: str
    credential: str
    message: str
    level: Level = "info"
    fields: Mapping[str, str | float] = field(default_factory=dict)
