"""A route behind a sign-in form, with the real process: cookies out, cookies kept, ends seen."""

from __future__ import annotations

import asyncio
import json
from collections import Counter
from collections.abc import AsyncIterator, Callable

import aiohttp
import pytest
from aiohttp import web

from tests.e2e.conftest import SECRET, Scene
from tests.support.identity_provider import USER, Reply
from tests.support.upstream import Seen
from tests.support.web_application import FORM, WebApplication, page, redirect

HTML = "text/html"


@pytest.fixture(params=[1, 2], ids=["one process", "two workers"])
def workers(request: pytest.FixtureRequest) -> int:
    """What holds for one process holds for any number."""
    return int(request.param)


class Portal:
    """An application that signs in at ``app`` and serves the newest session alone.

    Attributes:
        logins: how many there were.
        refuses: what it answers to any other session.
    """

    def __init__(self, scene: Scene, app: WebApplication) -> None:
        self.scene = scene
        self.app = app
        self.logins = 0
        self.sessions: list[str] = []
        self.refuses: Callable[[], web.Response] = lambda: web.Response(status=401)
        app.pages["/login"] = self._sign_in
        scene.upstream.answer = self._serve

    def _sign_in(self, request: web.Request, form: dict[str, str]) -> Reply:
        if request.method != "POST":
            return page(FORM)
        assert form["password"] == SECRET
        self.logins += 1
        self.sessions.append(f"session=s3ss10n-{self.logins}")
        return redirect("/", 303, **{"Set-Cookie": f"{self.sessions[-1]}; Path=/"})

    def _serve(self, seen: Seen) -> web.Response:
        if seen.all("Cookie") != self.sessions[-1:]:
            return self.refuses()
        answer = web.json_response({"seen": seen.target})
        answer.headers.add("Set-Cookie", "session=refreshed; Path=/")
        answer.headers.add("Set-Cookie", "lang=de")
        return answer

    def end(self) -> None:
        """The session is over, whatever the sidecar believes."""
        self.sessions.append("session=nobody's")

    def config(self, route: str = "") -> str:
        scene = self.scene
        return f"""\
listen: {scene.data}
admin: {scene.admin}
credentials:
  portal:
    grant: session
    url: {self.app.url}
    username: {USER[0]}
    password: {{env: API_SECRET}}
routes:
  - {{path: /api/, upstream: "{scene.upstream.url}/v1/", credential: portal{route}}}
{f"workers: {scene.workers}" if scene.workers != 1 else ""}
"""


@pytest.fixture
async def portal(scene: Scene) -> AsyncIterator[Portal]:
    async with WebApplication() as app:
        yield Portal(scene, app)


async def ask(portal: Portal, target: str = "/api/x", **headers: str) -> aiohttp.ClientResponse:
    """The answer on a connection of its own."""
    async with (
        aiohttp.ClientSession(cookie_jar=aiohttp.DummyCookieJar()) as own,
        own.get(portal.scene.url + target, headers=headers, allow_redirects=False) as answer,
    ):
        await answer.read()
        return answer


async def test_the_session_goes_out_and_its_cookies_stay_here(portal: Portal) -> None:
    async with portal.scene.running(portal.config()) as sidecar:
        await portal.scene.at_work(sidecar)
        answers = await asyncio.gather(
            *(
                ask(portal, Cookie="session=mine; a=1", Authorization="Bearer mine")
                for _ in range(9)
            )
        )
        for answer in answers:
            assert answer.status == 200
            assert answer.headers.getall("Set-Cookie") == ["lang=de"]
        for seen in portal.scene.upstream.seen:
            assert seen.all("Cookie") == ["session=s3ss10n-1"]
            assert seen.all("Authorization") == []
        assert portal.logins == 1
        assert await sidecar.stop() == 0
        assert "s3ss10n" not in sidecar.err


async def test_with_cookies_the_clients_own_go_along(portal: Portal) -> None:
    async with portal.scene.running(portal.config(", cookies: true")) as sidecar:
        await portal.scene.at_work(sidecar)
        portal.sessions = ["session=s3ss10n-1; a=1"]
        assert (await ask(portal, Cookie="session=mine; a=1")).status == 200


@pytest.mark.parametrize("sign", ["redirect", "page"])
async def test_however_its_end_is_told_one_login_follows_and_nobody_notices(
    portal: Portal, sign: str
) -> None:
    signs = {
        "redirect": lambda: web.Response(
            status=302, headers={"Location": f"{portal.app.url}login?rd=%2Fapi"}
        ),
        "page": lambda: web.Response(text=FORM, content_type=HTML),
    }
    portal.refuses = signs[sign]
    async with portal.scene.running(portal.config()) as sidecar:
        await portal.scene.at_work(sidecar)
        for _ in range(4 * portal.scene.workers):  # so that every worker has seen the path
            assert (await ask(portal)).status == 200
        portal.end()
        answers = await asyncio.gather(*(ask(portal) for _ in range(24)))
        assert Counter(answer.status for answer in answers) == {200: 24}
        assert {answer.content_type for answer in answers} == {"application/json"}
        assert portal.logins == 2
        told = json.loads((await sidecar.ask("/v1/status")).text)["credentials"]["portal"]
        assert (told["generation"], told["rejections"]) == (2, 1)


async def test_html_that_is_the_answer_costs_no_login_after_another(portal: Portal) -> None:
    async with portal.scene.running(portal.config()) as sidecar:
        await portal.scene.at_work(sidecar)
        for _ in range(4 * portal.scene.workers):
            assert (await ask(portal)).status == 200
        portal.scene.upstream.answer = lambda _: web.Response(text="<p>", content_type=HTML)
        answers = await asyncio.gather(*(ask(portal) for _ in range(24)))
        assert {answer.content_type for answer in answers} == {HTML}
        assert portal.logins <= 2
