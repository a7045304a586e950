"""Discovery over real sockets: when it is asked for, what is believed, what survives an outage."""

from __future__ import annotations

import pytest

from proxy.config.model import Grant
from proxy.errors import Failure
from proxy.idp.endpoint import FRESH
from tests.support.asking import asking
from tests.support.identity_provider import Reply

GRANT = Grant.CLIENT_CREDENTIALS


async def test_discovery_happens_once_for_many_tokens() -> None:
    async with asking(GRANT, discover=True) as run:
        assert run.provider.discovered == 0
        for _ in range(3):
            await run.obtain()
        assert run.provider.discovered == 1


@pytest.mark.parametrize("first", [Reply(404, b""), Reply(200, b"<html>"), Reply(302, b"")])
async def test_the_second_place_is_asked_where_the_first_has_no_document(first: Reply) -> None:
    async with asking(GRANT, discover=True) as run:
        run.provider.discovery.append(first)
        assert await run.obtain()
        assert run.provider.discovered == 2


async def test_no_document_at_either_place_is_slow() -> None:
    async with asking(GRANT, discover=True) as run:
        run.provider.discovery += [Reply(404, b""), Reply(404, b"")]
        error = await run.refused()
    assert error.failure is Failure.SLOW
    assert "set token_url" in str(error)
    assert run.provider.asked == 0


async def test_no_secret_goes_to_an_endpoint_of_another_issuer() -> None:
    async with asking(GRANT, discover=True) as run:
        run.provider.document = {"issuer": "https://evil.example"}
        assert (await run.refused()).reason == "discovery"
        assert run.provider.asked == 0


async def test_a_failed_discovery_is_tried_again() -> None:
    async with asking(GRANT, discover=True) as run:
        run.provider.discovery += [Reply(503, b""), Reply(503, b"")]
        assert (await run.refused()).failure is Failure.TRANSIENT
        assert await run.obtain()


async def test_after_an_hour_the_document_is_read_again() -> None:
    async with asking(GRANT, discover=True) as run:
        await run.obtain()
        await run.clock.advance(FRESH - 1)
        await run.obtain()
        assert run.provider.discovered == 1
        await run.clock.advance(1)
        await run.obtain()
        assert run.provider.discovered == 2


@pytest.mark.parametrize("reply", [Reply(404, b""), Reply(503, b""), Reply(close=True)])
async def test_after_a_failure_the_document_is_read_again(reply: Reply) -> None:
    async with asking(GRANT, discover=True) as run:
        run.provider.script.append(reply)
        await run.refused()
        await run.obtain()
        assert run.provider.discovered == 2


async def test_a_refused_client_is_no_reason_to_look_again() -> None:
    async with asking(GRANT, discover=True) as run:
        run.provider.script.append(Reply(401, {"error": "invalid_client"}))
        await run.refused()
        await run.obtain()
        assert run.provider.discovered == 1


async def test_the_last_good_document_outlives_an_outage_of_discovery() -> None:
    async with asking(GRANT, discover=True) as run:
        await run.obtain()
        await run.clock.advance(FRESH)
        run.provider.discovery += [Reply(503, b""), Reply(503, b"")]
        assert await run.obtain()
        await run.obtain()
        assert run.provider.discovered == 4
