"""A token for what a person's login left behind: RFC 6749 section 6, RFC 9700 section 4.14.

Refreshes and never asks a person: the login is a command of its own, which writes to the store.
"""

from __future__ import annotations

from proxy.clock import Clock
from proxy.errors import Failure, TokenRequestError
from proxy.idp.refreshing import is_dead, keeping
from proxy.idp.requests import TokenRequests
from proxy.oauth.response import UnusableAnswerError
from proxy.tokens.ports import Keep
from proxy.tokens.token import RefreshToken, Token


class ByPersonSource:
    """Refreshes with what is held; without that a person has to log in.

    Serves authorization_code and device_code alike: they differ in how a person logs in.

    Args:
        requests: makes the requests.
        name: the credential's, for ``token-sidecar login NAME``.
        clock: tells whether a refresh token has ended.
    """

    def __init__(self, requests: TokenRequests, name: str, clock: Clock) -> None:
        self._requests = requests
        self._name = name
        self._clock = clock
        self._wanted = requests.use

    async def obtain(self, held: RefreshToken | None, keep: Keep) -> Token:
        """A new token; see ``TokenSource``."""
        if held is None:
            raise self._login_needed(
                "nobody has logged in yet, or the last login brought nothing to renew it with"
                " (see scope: many providers want offline_access)"
            )
        if held.has_ended(self._clock.now()):
            raise self._login_needed("what was kept of the last login has ended")
        try:
            async with keeping(keep):
                token = await self._requests.refresh(held.value, use=self._wanted)
        except UnusableAnswerError as error:
            raise (self._without(error) if error.missing else error) from None
        except TokenRequestError as error:
            if not is_dead(error):
                raise
            await keep(None)
            raise self._login_needed(_dead(error), error.error) from None
        # The next one has to bring the same field: another one is another credential.
        self._wanted = self._requests.use[: self._requests.use.index(token.field) + 1]
        return token

    def _without(self, error: UnusableAnswerError) -> TokenRequestError:
        """OpenID Connect Core section 12.2 lets a provider leave the ID token out of a refresh."""
        return self._login_needed(
            f"{error}: this provider sends it for a login alone, so that each lasts one token long"
            " (or set use: access_token, where the API takes that)"
        )

    def _login_needed(self, why: str, error: str | None = None) -> TokenRequestError:
        return TokenRequestError(
            f"login needed: {why}; run `token-sidecar login {self._name}`",
            failure=Failure.TERMINAL,
            reason="login_needed",
            error=error,
        )


def _dead(error: TokenRequestError) -> str:
    """What may have happened to a refresh token that was good before."""
    said = str(error).partition(";")[0]
    return (
        f"{said}. The session has ended or was ended, or the same refresh token was used twice,"
        " after which a provider takes back all that came of that login"
    )
