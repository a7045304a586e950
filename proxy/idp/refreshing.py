"""What the grants that refresh have in common: RFC 6749 section 6."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from proxy.errors import Failure, TokenRequestError
from proxy.oauth.response import UnusableAnswerError
from proxy.tokens.ports import Keep

_OF_DEX: Final = "refresh token is invalid"


def is_dead(error: TokenRequestError) -> bool:
    """Whether a refresh failed because of the refresh token itself (section 5.2).

    Dex says so of its own with ``invalid_request``, and tells it in words alone.
    """
    if error.failure is Failure.TERMINAL and error.error == "invalid_grant":
        return True
    return error.error == "invalid_request" and _OF_DEX in str(error).lower()


@asynccontextmanager
async def keeping(keep: Keep) -> AsyncIterator[None]:
    """Keep the refresh token of an answer that is of no other use: the old one may be dead."""
    try:
        yield
    except UnusableAnswerError as error:
        if error.refresh is not None:
            await keep(error.refresh)
        raise
