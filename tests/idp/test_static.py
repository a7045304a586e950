from __future__ import annotations

import pytest

from proxy.errors import Failure, TokenRequestError
from proxy.idp.static import StaticSource
from proxy.secret import Secret
from proxy.secrets.kept import Kept
from proxy.secrets.source import EnvSource
from proxy.tokens.token import RefreshToken, Token
from tests.support.answers import unsigned
from tests.support.clock import FakeClock


class Static:
    def __init__(self, value: str) -> None:
        self.clock = FakeClock()
        self.environ = {"T": value}
        self.source = StaticSource(EnvSource("T", self.environ), self.clock)

    async def obtain(self) -> Token:
        return await self.source.obtain(None, self._keep)

    async def refused(self) -> TokenRequestError:
        with pytest.raises(TokenRequestError) as caught:
            await self.obtain()
        assert caught.value.failure is Failure.TRANSIENT
        assert "canary" not in str(caught.value)
        return caught.value

    async def _keep(self, _: RefreshToken | None) -> None:
        raise AssertionError("a static token has no refresh token")


async def test_an_opaque_token_does_not_end() -> None:
    token = await Static("opaque").obtain()
    assert token.value.reveal() == "opaque"
    assert token.expires is None
    assert token.lifetime is None


async def test_a_jwt_ends_by_our_own_clock() -> None:
    static = Static("")
    static.environ["T"] = unsigned(exp=static.clock.wall() + 90)
    token = await static.obtain()
    assert token.lifetime == pytest.approx(90)


async def test_a_jwt_without_exp_does_not_end() -> None:
    assert (await Static(unsigned(sub="x")).obtain()).expires is None


async def test_an_ended_jwt_is_no_token_until_it_is_replaced() -> None:
    static = Static("")
    static.environ["T"] = unsigned(exp=static.clock.wall() - 1)
    assert (await static.refused()).reason == "expired"
    static.environ["T"] = "new"
    assert (await static.obtain()).value.reveal() == "new"


@pytest.mark.parametrize("value", ["canary\n", "can ary", "canaryé"])
async def test_what_no_header_can_carry_is_refused(value: str) -> None:
    assert (await Static(value).refused()).reason == "no_token"


async def test_a_token_that_can_not_be_read_is_explained() -> None:
    error = await Static("").refused()
    assert error.reason == "secret"
    assert "T is empty" in str(error)


async def test_a_kept_token_is_read_anew_whenever_one_is_wanted() -> None:
    here = Static("first")
    place = EnvSource("T", here.environ)

    async def anew() -> Secret:
        return place.read()

    kept = Kept(place, anew, here.clock)
    here.source = StaticSource(kept, here.clock)
    assert (await here.obtain()).value.reveal() == "first"
    here.environ["T"] = "second"
    assert kept.read().reveal() == "first"
    assert (await here.obtain()).value.reveal() == "second"
