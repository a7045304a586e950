"""A secret value that never shows: not in repr, str, format, logs, tracebacks or pickles.

It is revealed by name, in the one place that puts it on the wire.
"""

from __future__ import annotations

import hmac
from typing import Any, Final, NoReturn

HIDDEN: Final = "[hidden]"


class Secret:
    """A string that only ``reveal`` gives away; compared in constant time."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def reveal(self) -> str:
        """The value itself, for the wire and nothing else."""
        return self._value

    def __bool__(self) -> bool:
        return bool(self._value)

    def __repr__(self) -> str:
        return HIDDEN

    __str__ = __repr__

    def __format__(self, spec: str) -> str:
        return format(HIDDEN, spec)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Secret):
            return NotImplemented
        return hmac.compare_digest(self._value.encode(), other._value.encode())

    def __hash__(self) -> int:
        return hash(self._value)

    def __reduce__(self) -> str | tuple[Any, ...]:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise TypeError("a Secret is not serialized; reveal() it where it goes on the wire")
