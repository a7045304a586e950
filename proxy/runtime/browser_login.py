"""A login by browser on this machine: sends the person off and waits for what comes back.

The redirect arrives at a listener on loopback, or in what the person pastes, whichever is first.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from proxy.config import model
from proxy.control.callback import Callback
from proxy.errors import LoginError, TokenRequestError
from proxy.idp.login import CodeLogin
from proxy.oauth.authorization import AuthorizationRequest
from proxy.oauth.redirect import ForeignRedirectError, code_in, is_answer, pasted
from proxy.plane.guard import Guard
from proxy.runtime.person import Person
from proxy.runtime.redirect_place import RedirectPlace, bound, redirect_place
from proxy.secret import Secret
from proxy.tokens.token import Token


class BrowserLogin:
    """One login of one credential.

    Args:
        credential: with grant authorization_code.
        login: talks to the provider.
        person: whoever logs in.
        paste: they bring the answer by hand; else only if they like to.
        patience: seconds that they may take.
    """

    def __init__(
        self,
        credential: model.Credential,
        login: CodeLogin,
        person: Person,
        *,
        paste: bool,
        patience: float,
    ) -> None:
        self._credential = credential
        self._login = login
        self._person = person
        self._paste = paste
        self._patience = patience

    async def token(self) -> Token:
        """The token, once the person has logged in.

        Raises:
            StartError: nothing can listen where the redirect would arrive.
            TokenRequestError: the provider gives none.
            LoginError: nobody came back.
        """
        fixed, port = self._credential.redirect_uri, self._credential.redirect_port
        place = redirect_place(fixed, port)
        if place is None or (self._paste and fixed is not None):
            asked = await self._login.begin(str(fixed))
            return await self._by_hand(asked)
        return await self._by_listener(place, fixed)

    async def _by_hand(self, asked: AuthorizationRequest) -> Token:
        self._person.send(asked.url, returns=False)
        async with self._limited(asked):
            code = await self._typed(asked, bare=True)
        return await self._login.finish(asked, code)

    async def _by_listener(self, place: RedirectPlace, fixed: str | None) -> Token:
        place, sockets = bound(place)
        try:
            asked = await self._login.begin(fixed or place.uri)
            callback = Callback(
                self._credential.name,
                place.path,
                sockets,
                Guard(place.address),
                lambda query: is_answer(query, asked),
            )
            async with callback:
                return await self._told(callback, asked)
        finally:
            for one in sockets:
                one.close()

    async def _told(self, callback: Callback, asked: AuthorizationRequest) -> Token:
        """The token; the browser that brought the code is told how it ended."""
        self._person.send(asked.url, returns=True)
        try:
            async with self._limited(asked):
                code = await self._first(callback, asked)
            token = await self._login.finish(asked, code)
        except TokenRequestError as error:
            callback.tell(f"{error}.")
            raise
        callback.tell(None)
        return token

    async def _first(self, callback: Callback, asked: AuthorizationRequest) -> Secret:
        """The code, from wherever it comes first."""
        typing = asyncio.ensure_future(self._typed(asked, bare=self._paste))
        coming = asyncio.ensure_future(callback.came())
        try:
            await asyncio.wait({typing, coming}, return_when=asyncio.FIRST_COMPLETED)
            if typing.done() and isinstance(typing.exception(), LoginError):
                await coming  # nobody pastes anything, but the browser may still come
            return code_in(coming.result(), asked) if coming.done() else typing.result()
        finally:
            typing.cancel()
            coming.cancel()

    async def _typed(self, asked: AuthorizationRequest, *, bare: bool) -> Secret:
        while True:
            try:
                return pasted(await self._person.pasted(), asked, bare=bare)
            except ForeignRedirectError as error:
                self._person.complain(str(error))
            except EOFError:
                raise LoginError(
                    "the login was not completed: nothing was pasted before the input ended"
                ) from None

    @asynccontextmanager
    async def _limited(self, asked: AuthorizationRequest) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(self._patience):
                yield
        except TimeoutError:
            raise LoginError(
                f"nobody came back from the login within {self._patience:g} s: log in again, with"
                " --timeout if it takes longer; if the provider's page complained about the"
                f" redirect_uri, register {asked.redirect_uri} with it"
            ) from None
