"""ID tokens as credentials: none goes further that is not the issuer's and for this client."""

from __future__ import annotations

import pytest

from proxy.config.model import Grant
from tests.support.asking import asking

GRANT = Grant.CLIENT_CREDENTIALS


async def test_an_id_token_is_checked_against_the_issuers_keys() -> None:
    async with asking(GRANT, discover=True, use=("id_token",)) as run:
        run.provider.signed = run.provider.id_token = True
        assert (await run.obtain()).field == "id_token"


@pytest.mark.parametrize("claims", [{"iss": "https://evil.example"}, {"azp": "another"}])
async def test_one_of_somebody_else_is_refused(claims: dict[str, str]) -> None:
    async with asking(GRANT, discover=True, use=("id_token",)) as run:
        run.provider.signed = run.provider.id_token = True
        run.provider.claims = claims
        error = await run.refused()
    assert error.reason == "id_token"


async def test_one_that_somebody_else_signed_is_refused() -> None:
    async with asking(GRANT, discover=True, use=("id_token",)) as run:
        made = run.provider.sign(aud="api-client")
        run.provider.extra = {"id_token": made[:-8] + "AAAAAAAA"}
        error = await run.refused()
    assert error.reason == "id_token"
    assert made not in str(error)


async def test_no_keys_are_asked_for_where_the_access_token_is_used() -> None:
    async with asking(GRANT, discover=True, use=("access_token",)) as run:
        run.provider.extra = {"id_token": "nonsense"}
        run.provider.document = {"jwks_uri": None}
        assert (await run.obtain()).field == "access_token"


async def test_the_refresh_token_beside_a_bad_id_token_is_kept() -> None:
    async with asking(Grant.PASSWORD, discover=True, use=("id_token",)) as run:
        run.provider.refresh_lifetime = 600
        run.provider.extra = {"id_token": "nonsense"}
        assert (await run.refused()).reason == "id_token"
        assert run.held is not None
        run.provider.extra = {}
        run.provider.id_token = True
        assert (await run.obtain()).field == "id_token"
    assert run.provider.grants == ["password", "refresh_token"]
