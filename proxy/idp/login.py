"""A person's login, as far as the provider takes part in it: RFC 6749 section 4.1, RFC 8628.

Yields a token with its refresh token; knows neither browsers nor terminals, and keeps nothing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Final

from proxy.clock import Clock
from proxy.errors import Failure, TokenRequestError
from proxy.idp.requests import TokenRequests
from proxy.message import Answer
from proxy.oauth import device, request, response, revocation
from proxy.oauth.authorization import AuthorizationRequest, authorization_request, check_nonce
from proxy.oauth.circumstances import Circumstances
from proxy.oauth.device import DeviceAuthorization, Pending, next_interval
from proxy.oauth.response import UnusableAnswerError
from proxy.secret import Secret
from proxy.tokens.token import Token

REPEATED: Final = frozenset({Failure.TRANSIENT, Failure.RETRY_AFTER})
"""Failures after which a poll is repeated: the person may be typing still."""

ANSWERED: Final = frozenset({"redirect", "unreadable", "no_token", "expired"})
"""But not after these: somebody answered, and the next answer will be no better."""


class CodeLogin:
    """By a browser that comes back with a code.

    Args:
        requests: asks the token endpoint.
        draw: gives 43 to 128 unreserved characters that nobody can guess, new ones each time.
    """

    def __init__(self, requests: TokenRequests, draw: Callable[[], str]) -> None:
        self._requests = requests
        self._draw = draw

    async def begin(self, redirect_uri: str) -> AuthorizationRequest:
        """Where to send the browser.

        Raises:
            TokenRequestError: nobody says where that is.
        """
        endpoints = self._requests.endpoints
        return authorization_request(
            await endpoints.authorization(),
            self._requests.client_id,
            self._requests.wish,
            redirect_uri,
            self._draw,
            issuer=endpoints.issuer,
            names_itself=await endpoints.names_itself(),
        )

    async def finish(self, asked: AuthorizationRequest, code: Secret) -> Token:
        """The token for the code that came back.

        Raises:
            TokenRequestError: none came. The code is of no more use.
        """

        def read(answer: Answer, about: Circumstances) -> Token:
            token = response.read(answer, about)
            check_nonce(answer, asked.nonce, about)
            return token

        try:
            return await self._requests.ask(
                await self._requests.endpoints.token(),
                lambda url, client: request.authorization_code(
                    url, client, self._requests.wish, code, asked.redirect_uri, asked.verifier
                ),
                read,
                carried=code,
            )
        except TokenRequestError as error:
            raise (_spent(error) if error.error == "invalid_grant" else error) from None


class DeviceLogin:
    """By a code that the person types in on another device.

    Args:
        requests: asks the device authorization and the token endpoint.
        clock: tells when to ask again and when the code has ended.
    """

    def __init__(self, requests: TokenRequests, clock: Clock) -> None:
        self._requests = requests
        self._clock = clock

    async def begin(self) -> DeviceAuthorization:
        """The code for the person.

        Raises:
            TokenRequestError: none is to be had.
        """
        return await self._requests.ask(
            await self._requests.endpoints.device_authorization(),
            lambda url, client: request.device_authorization(url, client, self._requests.wish),
            device.read,
        )

    async def finish(self, shown: DeviceAuthorization) -> Token:
        """The token, once the person has said yes.

        Raises:
            TokenRequestError: they said no, the code has ended, or the provider gives none.
        """
        interval = shown.interval
        while self._clock.now().until(shown.expires) > 0:
            await self._pause(interval)
            came = await self._poll(shown.device_code)
            if isinstance(came, Token):
                return came
            interval = next_interval(interval, came)
        raise TokenRequestError(
            "the code was not used in time: log in again for a new one",
            failure=Failure.TERMINAL,
            reason="expired_code",
        )

    async def _poll(self, code: Secret) -> Token | Pending | TokenRequestError:
        try:
            return await self._requests.ask(
                await self._requests.endpoints.token(),
                lambda url, client: request.device_code(url, client, self._requests.wish, code),
                device.read_token,
                carried=code,
            )
        except TokenRequestError as error:
            used = isinstance(error, UnusableAnswerError) or error.reason in ANSWERED
            if used or error.failure not in REPEATED:
                raise
            return error

    async def _pause(self, seconds: float) -> None:
        passed = asyncio.Event()
        timer = self._clock.call_later(seconds, passed.set)
        try:
            await passed.wait()
        finally:
            timer.cancel()


async def revoke(requests: TokenRequests, token: Secret, hint: str) -> bool:
    """Have the provider end a token of the type ``hint``; False where it has no place for that.

    Raises:
        TokenRequestError: it did not do it.
    """
    url = await requests.endpoints.revocation()
    if url is None:
        return False
    await requests.ask(
        url,
        lambda url, client: request.revocation(url, client, token, hint),
        revocation.read,
        carried=token,
    )
    return True


def _spent(error: TokenRequestError) -> TokenRequestError:
    said = str(error).partition(";")[0]
    return TokenRequestError(
        f"{said}; the code was used already or has expired (most last a minute), or redirect_uri is"
        " not the registered one: log in again",
        failure=error.failure,
        reason="code",
        error=error.error,
    )
