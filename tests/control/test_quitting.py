from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from proxy.control import application
from proxy.control.guarding import own_origins
from proxy.control.lending import Lendables
from proxy.control.quitting import End
from proxy.plane.guard import Guard
from proxy.plane.hosting import Hosted
from proxy.plane.settings import Address
from proxy.runtime.sockets import bind
from tests.control.conftest import Control, fail, serve, snapshot


@dataclass
class Ended:
    """A control plane whose process can be asked to end; ``allowed``: as configured."""

    allowed: bool = True
    times: int = 0
    url: str = ""

    def ending(self) -> End | None:
        return self.end if self.allowed else None

    def end(self) -> None:
        self.times += 1


@pytest.fixture
async def ended() -> AsyncIterator[Ended]:
    told, control = Ended(), Control(snapshot())
    async with AsyncExitStack() as stack:
        told.url = await serve(
            stack,
            lambda guard: application.admin(
                control.read, control.count, guard, fail, control.lending, told.ending
            ),
        )
        yield told


async def test_a_post_without_any_key_ends_it(ended: Ended, client: aiohttp.ClientSession) -> None:
    answer = await client.post(ended.url + "/quitquitquit")
    assert (answer.status, await answer.json()) == (202, {"status": "draining"})
    assert ended.times == 1


async def test_where_it_is_off_the_answer_names_the_key(
    ended: Ended, client: aiohttp.ClientSession
) -> None:
    ended.allowed = False
    for method in ("POST", "GET"):
        answer = await client.request(method, ended.url + "/quitquitquit")
        assert answer.status == 404
        assert answer.content_type == "application/problem+json"
        assert "`quitquitquit: true`" in (await answer.json())["detail"]
    assert ended.times == 0


@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "DELETE", "OPTIONS"])
async def test_only_a_post_ends_it(
    ended: Ended, client: aiohttp.ClientSession, method: str
) -> None:
    answer = await client.request(method, ended.url + "/quitquitquit")
    assert (answer.status, answer.headers["Allow"]) == (405, "POST")
    assert ended.times == 0


@pytest.mark.parametrize(
    "fields",
    [
        {"Origin": "https://evil.example.com"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Host": "rebound.example.com"},
    ],
)
async def test_no_web_page_ends_it(
    ended: Ended, client: aiohttp.ClientSession, fields: dict[str, str]
) -> None:
    answer = await client.post(ended.url + "/quitquitquit", headers=fields)
    assert answer.status in {403, 421}
    assert ended.times == 0


async def test_our_own_user_ends_it_over_a_unix_socket(ended: Ended, tmp_path: Path) -> None:
    control, place = Control(snapshot()), Address(path=str(tmp_path / "own"))
    guard = Guard(place, origins=own_origins(place))
    runner = application.admin(
        control.read, control.count, lambda: guard, fail, lambda: Lendables({}, 1.0), ended.ending
    )
    hosted = await Hosted.open(runner, bind(place, key="admin"))
    connector = aiohttp.UnixConnector(place.path)
    async with aiohttp.ClientSession(connector=connector) as session:
        assert (await session.post("http://localhost/quitquitquit")).status == 202
    await hosted.close()
    assert ended.times == 1


async def test_the_metrics_listener_has_no_such_thing(
    control: Control, client: aiohttp.ClientSession
) -> None:
    assert (await client.post(control.metrics + "/quitquitquit")).status == 404
