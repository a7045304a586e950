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
        if not self._value:
            raise SecretError("a secret in the configuration is empty; write its value there")
        return self._value

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
        if not value:
            raise SecretError(f"environment variable {self._name} is empty; give it a value")
        return Secret(value)

    def warnings(self) -> tuple[str, ...]:
        """None."""
        return ()
