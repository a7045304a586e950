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
        kind: a stable word: ``token_renewed``, ``token_adopted`` (from the store),
            ``token_forgotten`` (by a logout), ``token_failed``, ``token_rejected`` (by an
            upstream's 401), ``token_odd`` (an answer to wonder about).
        credential: its name.
        message: one line for a person, without the name; holds no token and no secret.
        level: how loud.
        fields: the same facts for machines, fit for a log line.
    """

    kind: str
    credential: str
    message: str
    level: Level = "info"
    fields: Mapping[str, str | float] = field(default_factory=dict)
