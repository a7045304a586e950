from __future__ import annotations

import asyncio

import pytest

from proxy.clock import Moment
from proxy.errors import CredentialRefused, CredentialUnavailable, Failure, TokenRequestError
from proxy.secret import Secret
from proxy.tokens.once import Once
from proxy.tokens.ports import Keep
from proxy.tokens.token import RefreshToken, Token


class Source:
    """A ``TokenSource`` that counts, gives ``token`` or fails with ``error``, or never answers."""

    def __init__(self, error: TokenRequestError | None = None, *, hangs: bool = False) -> None:
        self.asked = 0
        self._error = error
        self._hangs = hangs

    async def obtain(self, held: RefreshToken | None, keep: Keep) -> Token:
        assert held is None
        self.asked += 1
        if self._hangs:
            await asyncio.Event().wait()
        if self._error is not None:
            raise self._error
        await keep(RefreshToken(Secret("r")))
        return Token(Secret("t"), "access_token", Moment(0, 0), None)


async def test_everybody_gets_the_same_token_for_one_request() -> None:
    once = Once("a", source := Source())
    token, lease, again = await asyncio.gather(once.token(), once.acquire(1), once.acquire(1))
    assert (token.value.reveal(), lease.value, again) == ("t", b"t", lease)
    assert source.asked == 1
    assert once.current() is None
    assert await once.reject(1, 1) is None


@pytest.mark.parametrize(
    ("failure", "kind"),
    [(Failure.TERMINAL, CredentialRefused), (Failure.TRANSIENT, CredentialUnavailable)],
)
async def test_everybody_is_told_of_the_same_failure(
    failure: Failure, kind: type[CredentialUnavailable]
) -> None:
    once = Once("a", source := Source(TokenRequestError("why", failure=failure, reason="x")))
    for _ in range(2):
        with pytest.raises(CredentialUnavailable, match="credential a: why") as caught:
            await once.acquire(1)
        assert type(caught.value) is kind
    with pytest.raises(TokenRequestError):
        await once.token()
    assert source.asked == 1


async def test_a_borrower_does_not_wait_for_ever() -> None:
    once = Once("a", Source(hangs=True))
    with pytest.raises(CredentialUnavailable, match="not answered yet"):
        await once.acquire(0)
