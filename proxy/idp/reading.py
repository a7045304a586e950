"""Reads a secret for a token request, and says what its absence means for the request."""

from __future__ import annotations

from typing import Protocol

from proxy.errors import Failure, SecretError, TokenRequestError
from proxy.secret import Secret
from proxy.secrets.kept import fresh
from proxy.secrets.source import SecretSource


class Readable(Protocol):
    """Whatever a secret can be read from."""

    def read(self) -> Secret:
        """The value; SecretError where there is none."""


async def read_anew(source: SecretSource) -> Secret:
    """The value as it is now, also where a kept one is at hand.

    Raises:
        TokenRequestError: it can't be read; transient, since somebody may be replacing it.
    """
    try:
        return await fresh(source)
    except SecretError as error:
        raise TokenRequestError(str(error), failure=Failure.TRANSIENT, reason="secret") from None


def read_secret(source: Readable) -> Secret:
    """A secret's value for a token request.

    Raises:
        TokenRequestError: it can't be read; transient, since somebody may be replacing it.
    """
    try:
        return source.read()
    except SecretError as error:
        raise TokenRequestError(str(error), failure=Failure.TRANSIENT, reason="secret") from None
