"""The place that a browser comes back to, over a real socket."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import aiohttp
import pytest

from proxy.control.callback import Callback
from proxy.plane.guard import Guard
from proxy.plane.settings import Address
from proxy.runtime.sockets import bind

NAVIGATION = {
    "Sec-Fetch-Site": "cross-site",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
}


@dataclass
class Scene:
    callback: Callback
    place: str
    browser: aiohttp.ClientSession

    async def visit(self, query: str, **headers: str) -> tuple[int, str]:
        """Where the redirect leads, with ``query``; header names with ``_`` for ``-``."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        url = f"{self.place}?{query}" if query else self.place
        async with self.browser.get(url, headers=NAVIGATION | named) as answer:
            return answer.status, await answer.text()

    async def waits_still(self) -> bool:
        """Whether no redirect was taken yet."""
        for _ in range(5):
            await asyncio.sleep(0)
        return not self.callback._came.done()


@asynccontextmanager
async def scene() -> AsyncIterator[Scene]:
    sockets = bind(Address("127.0.0.1", 0), key="redirect_port")
    address = Address("127.0.0.1", sockets[0].getsockname()[1])
    async with (
        aiohttp.ClientSession() as browser,
        Callback("mine", "/callback", sockets, Guard(address), "state=ours".__eq__) as callback,
    ):
        yield Scene(callback, f"http://{address}/callback", browser)


async def test_the_redirect_is_taken_and_the_page_tells_how_it_ended() -> None:
    async with scene() as run:
        visit = asyncio.create_task(run.visit("state=ours"))
        assert await run.callback.came() == "state=ours"
        assert not visit.done()
        run.callback.tell(None)
        status, text = await visit
    assert status == 200
    assert "mine: you are logged in" in text


async def test_a_failure_is_on_the_page_and_can_not_be_markup() -> None:
    async with scene() as run:
        visit = asyncio.create_task(run.visit("state=ours"))
        await run.callback.came()
        run.callback.tell("denied <script>")
        status, text = await visit
    assert status == 400
    assert "denied &lt;script&gt;" in text


async def test_a_browser_that_waits_when_all_ends_gets_its_page() -> None:
    async with scene() as run:
        visit = asyncio.create_task(run.visit("state=ours"))
        await run.callback.came()
        await run.callback.__aexit__(None, None, None)
        status, text = await visit
    assert status == 400
    assert "ended before it was complete" in text


async def test_a_foreign_state_is_turned_away_and_the_login_goes_on_waiting() -> None:
    async with scene() as run:
        for query in ("", "state=theirs&code=canary", "code=canary"):
            status, text = await run.visit(query)
            assert status == 400
            assert "not the answer" in text
            assert "canary" not in text
        assert await run.waits_still()
        visit = asyncio.create_task(run.visit("state=ours"))
        await run.callback.came()
        run.callback.tell(None)
        assert (await visit)[0] == 200


async def test_a_second_visit_learns_nothing_and_changes_nothing() -> None:
    async with scene() as run:
        first = asyncio.create_task(run.visit("state=ours"))
        await run.callback.came()
        status, text = await run.visit("state=ours")
        assert status == 410
        assert "used already" in text
        run.callback.tell(None)
        assert (await first)[0] == 200
        assert (await run.visit("state=ours"))[0] == 410


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Host": "evil.example"}, 421),
        ({"Host": "127.0.0.1:1"}, 421),
        ({"Sec_Fetch_Mode": "cors", "Sec_Fetch_Dest": "empty"}, 403),
        ({"Sec_Fetch_Mode": "no-cors", "Sec_Fetch_Dest": "image"}, 403),
        ({"Sec_Fetch_Dest": "iframe"}, 403),
    ],
)
async def test_what_is_no_visit_of_a_person_is_refused(
    headers: dict[str, str], status: int
) -> None:
    async with scene() as run:
        assert (await run.visit("state=ours", **headers))[0] == status
        assert await run.waits_still()


@pytest.mark.parametrize("method", ["POST", "HEAD", "OPTIONS", "PUT", "DELETE"])
async def test_only_get_is_answered(method: str) -> None:
    async with scene() as run:
        async with run.browser.request(method, run.place + "?state=ours") as answer:
            assert answer.status == 405
            assert answer.headers["Allow"] == "GET"
        assert await run.waits_still()


@pytest.mark.parametrize("path", ["/", "/callback/", "/favicon.ico"])
async def test_nothing_else_is_here(path: str) -> None:
    async with scene() as run:
        place = run.place.removesuffix("/callback") + path
        async with run.browser.get(place + "?state=ours") as answer:
            assert answer.status == 404
        assert await run.waits_still()


async def test_no_page_can_be_framed_kept_or_made_to_load_anything() -> None:
    async with scene() as run, run.browser.get(run.place) as answer:
        fields = answer.headers
    assert "default-src 'none'" in fields["Content-Security-Policy"]
    assert "frame-ancestors 'none'" in fields["Content-Security-Policy"]
    assert fields["Cache-Control"] == "no-store"
    assert fields["Referrer-Policy"] == "no-referrer"
    assert fields["X-Content-Type-Options"] == "nosniff"
    assert fields["Content-Type"] == "text/html; charset=utf-8"
    assert "Server" not in fields
    assert "Access-Control-Allow-Origin" not in fields


async def test_when_it_is_over_nobody_listens_and_nothing_is_left() -> None:
    async with scene() as run:
        place = run.place
    async with aiohttp.ClientSession() as browser:
        with pytest.raises(aiohttp.ClientConnectorError):
            await browser.get(place)
    gc.collect()
