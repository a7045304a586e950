"""Checks the ID tokens of one client: fetches the provider's keys and follows their rotation.

Decides when keys are fetched: before the first check, after an hour, and when none that is known
made a signature. What makes an ID token wrong is ``oauth.id_token``'s matter.
"""

from __future__ import annotations

from typing import Any, Final

from proxy.clock import Clock, Moment
from proxy.errors import TokenRequestError
from proxy.idp.endpoint import Endpoints, Sender
from proxy.message import Answer, Request, origin
from proxy.oauth import id_token, jwks, lifetime
from proxy.oauth.body import parse
from proxy.oauth.id_token import Expected, UnknownKeyError
from proxy.oauth.jwks import Keys
from proxy.oauth.response import UnusableAnswerError
from proxy.secret import Secret
from proxy.tokens.token import RefreshToken

FRESH: Final = 3600.0
"""Seconds after which keys are fetched again: one that was withdrawn must not be believed."""
MIN_INTERVAL: Final = 10.0
"""Seconds between two fetches, whatever tokens come."""


class IdTokens:
    """The checks of one client's ID tokens.

    Args:
        client_id: whom they must be for.
        endpoints: say who the issuer is and where its keys are, if anybody does.
        sender: fetches the keys.
        clock: tells their age.
    """

    def __init__(self, client_id: str, endpoints: Endpoints, sender: Sender, clock: Clock) -> None:
        self._client_id = client_id
        self._endpoints = endpoints
        self._sender = sender
        self._clock = clock
        self._keys: Keys | None = None
        self._fetched: Moment | None = None

    async def check(
        self,
        answer: Answer,
        *,
        where: str,
        refresh: RefreshToken | None = None,
        nonce: Secret | None = None,
    ) -> None:
        """Check the ``id_token`` in a token endpoint's successful answer; fine if there is none.

        Args:
            answer: as it came.
            where: the token endpoint as a message may name it.
            refresh: what came with it: an error carries it, so that it is kept.
            nonce: what the authorization request said, where there was one.

        Raises:
            UnusableAnswerError: it must not be used (``id_token``), or there is no telling since
                the provider's keys can't be had.
        """
        content = parse(answer.body) or {}
        token, access_token = content.get("id_token"), content.get("access_token")
        if not isinstance(token, str) or not token:
            return
        expected = Expected(
            where=where,
            client_id=self._client_id,
            now=answer.received.wall + lifetime.skew(answer),
            issuer=self._endpoints.issuer,
            nonce=nonce,
            access_token=_visible(access_token),
        )
        try:
            await self._verify(token, expected)
        except UnusableAnswerError as error:
            error.refresh = refresh
            raise
        except TokenRequestError as error:
            told = UnusableAnswerError(f"no ID token can be checked: {error}", reason=error.reason)
            told.refresh = refresh
            raise told from None

    async def _verify(self, token: str, expected: Expected) -> None:
        url = await self._endpoints.jwks()
        if url is None:
            id_token.verify(token, None, expected)
            return
        if self._keys is None or self._age() > FRESH:
            await self._fetch(url)
        try:
            id_token.verify(token, self._keys, expected)
        except UnknownKeyError:
            if self._age() < MIN_INTERVAL:
                raise
            self._endpoints.doubt()
            await self._fetch(url)
            id_token.verify(token, self._keys, expected)

    async def _fetch(self, url: str) -> None:
        """Fetch the keys; those that are known stay if that fails.

        Raises:
            TokenRequestError: it failed and none are known.
        """
        try:
            answer = await self._sender.send(Request("GET", url, {"Accept": "application/json"}))
            self._keys = jwks.read(answer, origin(url))
        except TokenRequestError:
            if self._keys is None:
                raise
        self._fetched = self._clock.now()

    def _age(self) -> float:
        fetched = self._fetched
        return FRESH if fetched is None else fetched.until(self._clock.now())


def _visible(value: Any) -> Secret | None:
    return Secret(value) if isinstance(value, str) and value.isascii() and value else None
