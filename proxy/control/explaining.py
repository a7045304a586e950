"""A credential's last failure in words: what was seen, what it means, what to do.

The words are those of ``doctor``: of the table of causes where the provider answered, else by the
failure's reason.
"""

from __future__ import annotations

from dataclasses import dataclass

from proxy.idp.hints import hint
from proxy.tokens.status import LastError


@dataclass(frozen=True, slots=True)
class Explained:
    """One failure; nothing secret in it.

    Attributes:
        seen: what happened, and where.
        cause: a short stable name.
        meaning: what that means in plain words; empty where ``seen`` says it.
        advice: what to do.
    """

    seen: str
    cause: str
    meaning: str
    advice: str

    @property
    def plainly(self) -> str:
        """The one sentence that tells most."""
        return self.meaning or self.seen


def explained(error: LastError) -> Explained:
    """The failure's words; a message's own advice stands behind its last semicolon."""
    seen, _, advice = error.message.partition("; ")
    known = error.explanation
    if known is not None:
        return Explained(seen, known.cause, known.meaning, known.advice)
    return Explained(seen, error.reason, "", advice or hint(error.reason))
