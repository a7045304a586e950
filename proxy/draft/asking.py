"""The port through which a missing answer is asked for, and what is said where nobody is there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Protocol

from proxy.draft.draft import SECRET_KEYS
from proxy.errors import DraftError

_TYPED: Final = ("client_secret", "password", "refresh_token", "token")


@dataclass(frozen=True, slots=True)
class Question:
    """One thing that has to be known.

    Attributes:
        key: what it is for: a credential's key, or ``upstream``.
        words: how a person is asked.
        default: what is taken where nothing else is said.
        optional: nothing is an answer too.
    """

    key: str
    words: str
    default: str | None = None
    optional: bool = False

    @property
    def secret(self) -> bool:
        """Whether the answer must not stand in the file."""
        return self.key in SECRET_KEYS

    @property
    def hidden(self) -> bool:
        """Whether the answer is the secret itself, and no file's name."""
        return self.key in _TYPED


class Asker(Protocol):
    """Somebody who can be asked."""

    def answer(self, question: Question) -> str | None:
        """The answer, None for none where it is optional.

        Raises:
            DraftError: there is none, and there has to be one.
        """

    def choice(self, words: str, options: tuple[str, ...], flag: str) -> str:
        """One of ``options``; ``flag`` says how to choose without being asked.

        Raises:
            DraftError: nobody chooses.
        """


class Nobody:
    """No terminal: what is missing has to come by flags."""

    def answer(self, question: Question) -> str | None:
        """The default; see ``Asker``."""
        if question.default is not None or question.optional:
            return question.default
        raise DraftError(
            f"{question.key} is missing ({question.words}), and there is no terminal to ask at: "
            f"give {_flag(question)}"
        )

    def choice(self, words: str, options: tuple[str, ...], flag: str) -> str:
        """Never; see ``Asker``."""
        raise DraftError(
            f"{words} is not said, and there is no terminal to ask at: give {flag}; "
            f"there are {', '.join(options)}"
        )


def _flag(question: Question) -> str:
    if question.key == "upstream":
        return "--upstream URL"
    if question.secret:
        return f"--secret {question.key}=file:PATH, env:NAME or keyring:SERVICE/NAME"
    return f"--set {question.key}=…"
