"""A token that is simply there: read, looked at, never asked for.

A JWT's ``exp`` (RFC 7519 section 4.1.4) is held against our own clock, since no answer tells of
another; anything else does not end.
"""

from __future__ import annotations

from proxy.clock import Clock, Moment
from proxy.errors import Failure, TokenRequestError
from proxy.idp.reading import read_anew
from proxy.oauth.jwt import claims, expiry
from proxy.oauth.response import VISIBLE
from proxy.secrets.source import SecretSource
from proxy.tokens.ports import Keep
from proxy.tokens.token import RefreshToken, Token


class StaticSource:
    """A token from the configuration, read again whenever one is wanted.

    Args:
        token: where it stands.
        clock: against which its end is held.
    """

    def __init__(self, token: SecretSource, clock: Clock) -> None:
        self._token = token
        self._clock = clock

    async def obtain(self, held: RefreshToken | None, keep: Keep) -> Token:  # noqa: ARG002 - the port
        """The token as it is now; see ``TokenSource``."""
        value = await read_anew(self._token)
        if not VISIBLE.fullmatch(value.reveal()):
            raise _unusable("is not visible ASCII: it can't go into a header", "no_token")
        now = self._clock.now()
        expires = _expires(value.reveal(), now)
        if expires is not None and now.until(expires) <= 0:
            raise _unusable("has ended; put a new one in its place", "expired")
        return Token(value=value, field="token", received=now, expires=expires)


def _expires(token: str, now: Moment) -> Moment | None:
    end = expiry(claims(token))
    return None if end is None else now.later(end - now.wall)


def _unusable(what: str, reason: str) -> TokenRequestError:
    return TokenRequestError(f"the static token {what}", failure=Failure.TRANSIENT, reason=reason)
