"""A session of a web application for name and password: its sign-in form, filled in.

Decides nothing of its own: a login in a new browser each time, and its cookies are the token.
"""

from __future__ import annotations

from proxy.clock import Clock
from proxy.config.model import SignIn
from proxy.errors import TokenRequestError
from proxy.idp.endpoint import Sender
from proxy.idp.reading import read_secret
from proxy.idp.session.cookies import token
from proxy.idp.session.login import Login, Person
from proxy.net.browser import Browser
from proxy.secrets.kept import doubt
from proxy.secrets.source import SecretSource
from proxy.tokens.ports import Keep
from proxy.tokens.token import RefreshToken, Token


class SessionSource:
    """Signs in whenever a session is wanted.

    Args:
        sign_in: where the login begins.
        username: who signs in.
        password: read only when there is a login.
        sender: carries the requests, one by one; it keeps no cookies.
        clock: for expiries.
        allow_insecure: plain http to other machines is allowed.
        default_lifetime: seconds, where no cookie says when it ends.
    """

    def __init__(
        self,
        sign_in: SignIn,
        username: str,
        password: SecretSource,
        sender: Sender,
        clock: Clock,
        *,
        allow_insecure: bool,
        default_lifetime: float,
    ) -> None:
        self._sign_in = sign_in
        self._username = username
        self._password = password
        self._sender = sender
        self._clock = clock
        self._allow_insecure = allow_insecure
        self._default_lifetime = default_lifetime

    async def obtain(self, held: RefreshToken | None, keep: Keep) -> Token:  # noqa: ARG002 - the port
        """A new session; see ``TokenSource``. It takes more than two requests."""
        browser = Browser(self._sender)
        login = Login(
            browser,
            self._sign_in,
            Person(self._username, read_secret(self._password)),
            self._clock,
            allow_insecure=self._allow_insecure,
        )
        try:
            arrival = await login.run()
        except TokenRequestError as error:
            if not error.unattended:
                doubt(self._password)
            raise
        return token(
            browser, arrival, self._sign_in.cookies, self._clock.now(), self._default_lifetime
        )
