"""Where a secret's value comes from: the port, and the sources that need no file.

A source is read whenever the value is wanted, so that a change is seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from proxy.errors import SecretError
from proxy.secret import Secret


class SecretSource(Protocol):
    """One secret's place."""

    def read(self) -> Secret:
        """The value as it is now, never empty.

        Raises:
            SecretError: says which variable or file, what is wrong, what to do.
        """

    def warnings(self) -> tuple[str, ...]:
        """What works about the place but should not stay, in words fit for a log."""


class PlainSource:
    """A value that stands in the configuration itself."""

    def __init__(self, value: Secret) -> None:
        self._value = value

    def read(self) -> Secret:
        """The value; see ``SecretSource``."""
        return Secret(_usable(self._value.reveal(), "a secret in the configuration"))

    def warnings(self) -> tuple[str, ...]:
        """None: who checks the configuration warns of it, with its line."""
        return ()


class EnvSource:
    """An environment variable."""

    def __init__(self, name: str, environ: Mapping[str, str]) -> None:
        self._name = name
        self._environ = environ

    def read(self) -> Secret:
        """The variable's value; see ``SecretSource``."""
        value = self._environ.get(self._name)
        if value is None:
            raise SecretError(f"environment variable {self._name} is not set; export it")
        return Secret(_usable(value, f"environment variable {self._name}"))

    def warnings(self) -> tuple[str, ...]:
        """None."""
        return ()


def _usable(value: str, what: str) -> str:
    if not value:
        raise SecretError(f"{what} is empty; give it a value")
    # Bytes that are no UTF-8 come as lone surrogates, which nothing on the wire can carry.
    if any("\ud800" <= letter <= "\udfff" for letter in value):
        raise SecretError(f"{what} is not UTF-8 text; set it anew")
    return value
