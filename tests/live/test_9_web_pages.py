"""Web pages in a real Chromium try to get a token, to renew one, or to use one: a table of attacks.

Each page is somebody else's: of another site, of a rebound name, of a file without an origin. It
even knows a client's key, so that what is shown is what keeps pages out, not that they guess badly.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from aiohttp.test_utils import TestServer

from tests.live.report import Report
from tests.support.identity_provider import CLIENT, IdentityProvider
from tests.support.process import Sidecar, free_ports, running
from tests.support.upstream import Upstream, upstream

pytestmark = pytest.mark.asyncio(loop_scope="session")

KEY = "the-key-of-a-notebook"
EVIL, REBOUND = "evil.example", "rebound.example"
TOKEN = "/v1/credentials/api/token"
REFRESH = "/v1/credentials/api/refresh"

FETCH = """
const [url, options, done] = arguments;
fetch(url, options).then(
  async (answer) => done(`${answer.type} ${answer.status} ${await answer.text()}`),
  () => done("failed"));
"""
"""Tells what script could read of an answer."""

LOAD = """
const [tag, attribute, url, done] = arguments;
const element = document.createElement(tag);
element.onload = () => done("loaded");
element.onerror = () => done("failed");
element[attribute] = url;
document.documentElement.append(element);
setTimeout(() => done("silent"), 2000);
"""
FORM = """
const [url, encoding, done] = arguments;
const frame = document.createElement("iframe");
frame.name = "target";
const form = document.createElement("form");
Object.assign(form, {action: url, method: "POST", target: "target", enctype: encoding});
form.innerHTML = '<input name="{&quot;generation&quot;: 1, &quot;a&quot;: &quot;" value="&quot;}">';
document.documentElement.append(frame, form);
frame.onload = () => {
  try { done("read " + frame.contentDocument.body.innerText); } catch { done("unreadable"); }
};
form.submit();
setTimeout(() => done("silent"), 2000);
"""
SOCKET = """
const [url, done] = arguments;
const socket = new WebSocket(url);
socket.onopen = () => done("opened");
socket.onerror = () => done("failed");
"""

MARKED = {"X-Token-Sidecar": "1", "X-Token-Sidecar-Key": KEY}
ATTACKS: list[tuple[str, str, str, tuple[Any, ...]]] = [
    ("a plain fetch of a token", FETCH, "admin", (TOKEN, {})),
    ("without CORS", FETCH, "admin", (TOKEN, {"mode": "no-cors"})),
    ("with all fields, after a preflight", FETCH, "admin", (TOKEN, {"headers": MARKED})),
    ("with cookies", FETCH, "admin", (TOKEN, {"credentials": "include"})),
    ("a POST that renews", FETCH, "admin", (REFRESH, {"method": "POST", "headers": MARKED})),
    (
        "a POST without a preflight",
        FETCH,
        "admin",
        (REFRESH, {"method": "POST", "mode": "no-cors", "body": "{}"}),
    ),
    ("reading the status", FETCH, "admin", ("/v1/status", {})),
    ("reading the metrics", FETCH, "admin", ("/metrics", {})),
    ("a form", FORM, "admin", (REFRESH, "application/x-www-form-urlencoded")),
    ("a form of plain text", FORM, "admin", (REFRESH, "text/plain")),
    ("as a script", LOAD, "admin", ("script", "src", TOKEN)),
    ("as an image", LOAD, "admin", ("img", "src", TOKEN)),
    ("in a frame", FORM, "admin", (TOKEN, "text/plain")),
    ("a call of the API", FETCH, "data", ("/api/x", {})),
    ("a call without CORS", FETCH, "data", ("/api/x", {"mode": "no-cors"})),
    (
        "a call with a key",
        FETCH,
        "data",
        ("/api/x", {"headers": {"Authorization": f"Bearer {KEY}"}}),
    ),
    ("a form to the API", FORM, "data", ("/api/x", "application/x-www-form-urlencoded")),
    ("a websocket to the API", SOCKET, "data", ("/api/x",)),
]
"""What is tried, how, at which plane, with what."""

REBOUND_ATTACKS = [
    attack for attack in ATTACKS if attack[1] == FETCH and attack[3][1].get("mode") != "no-cors"
]
"""To a page of a rebound name the sidecar is its own origin: only fetches differ."""


@dataclass(frozen=True, slots=True)
class Target:
    """The sidecar under attack; ``page`` is the attacker's site."""

    provider: IdentityProvider
    upstream: Upstream
    sidecar: Sidecar
    data: int
    admin: int
    page: str

    def place(self, plane: str, target: str, *, host: str, scheme: str = "http") -> str:
        """A URL of one of its planes, under one of its names or another's."""
        return f"{scheme}://{host}:{getattr(self, plane)}{target}"


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def target(work: Path) -> AsyncIterator[Target]:
    """A sidecar that works, with a client whose key the attackers know."""
    clients = "clients: {notebook: {key: {env: KEY}}}"
    async with attacked(work / "web-pages", clients, ", clients: [notebook]") as found:
        yield found


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def open_target(work: Path) -> AsyncIterator[Target]:
    """One that every program of this machine may use, and only a page's own words tell of it."""
    async with attacked(work / "web-pages-open", "", "") as found:
        yield found


@contextlib.asynccontextmanager
async def attacked(home: Path, clients: str, listed: str) -> AsyncIterator[Target]:
    """A sidecar with everything around it, the attacker's site included."""
    data, admin = free_ports(2)
    home.mkdir()  # noqa: ASYNC240 - nothing else runs yet
    async with IdentityProvider() as provider, upstream() as api, hostile_site() as page:
        whole = f"""
listen: 127.0.0.1:{data}
admin: 127.0.0.1:{admin}
{clients}
credentials:
  api: {{token_url: '{provider.token_url}', client_id: {CLIENT[0]}, client_secret: {{env: SECRET}}
         {listed}}}
routes:
  - {{path: /api/, upstream: '{api.url}/', credential: api}}
"""
        environ = {"SECRET": CLIENT[1], "KEY": KEY}
        async with running(whole, home, admin=f"127.0.0.1:{admin}", environ=environ) as sidecar:
            await sidecar.ready()
            yield Target(provider, api, sidecar, data, admin, page)


@contextlib.asynccontextmanager
async def hostile_site() -> AsyncIterator[str]:
    """An empty page of somebody else; the scripts are put into it."""

    async def serve(_: web.Request) -> web.Response:
        return web.Response(text="<!doctype html><title>theirs</title>", content_type="text/html")

    application = web.Application()
    application.router.add_get("/", serve)
    async with TestServer(application, host="127.0.0.1") as server:
        yield f"http://{EVIL}:{server.port}/"


@pytest.fixture(scope="module")
def browser(work: Path):
    """A Chromium to which both names are this machine."""
    from tests.live.chromium import chromium  # noqa: PLC0415 - not installed elsewhere

    rules = f"MAP {EVIL} 127.0.0.1, MAP {REBOUND} 127.0.0.1"
    with chromium(work / "chromium-pages", arguments=(f"--host-resolver-rules={rules}",)) as driver:
        driver.set_script_timeout(20)
        yield driver


async def tried(
    browser, target: Target, attack: tuple[str, str, str, tuple[Any, ...]], host: str
) -> str:
    """What a page could tell after the attack; nothing of it may have come through."""
    _, script, plane, (first, *rest) = attack
    scheme = "ws" if script == SOCKET else "http"
    if script == LOAD:
        arguments = (first, rest[0], target.place(plane, rest[1], host=host))
    else:
        arguments = (target.place(plane, first, host=host, scheme=scheme), *rest)
    before = (target.provider.asked, len(target.upstream.seen))
    told: str = await asyncio.to_thread(browser.execute_async_script, script, *arguments)
    assert (target.provider.asked, len(target.upstream.seen)) == before, told
    return told


def is_refused(told: str) -> bool:
    """Whether the page has read nothing but that it may not."""
    if told.startswith("read "):
        return "token" not in told.replace("token-sidecar", "").replace("Token-Sidecar", "")
    if told.split(maxsplit=1)[0] in {"basic", "cors", "default"}:
        return told.split()[1] in {"403", "421"}
    return told in {"failed", "silent", "unreadable", "opaque 0 "}


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack[0])
async def test_a_page_of_another_site_gets_nothing(
    browser,
    target: Target,
    attack: tuple[str, str, str, tuple[Any, ...]],
    host: str,
    report: Report,
) -> None:
    await asyncio.to_thread(browser.get, target.page)
    told = await tried(browser, target, attack, host)
    row(report, f"another site, {host}", attack, told)
    assert is_refused(told), told


@pytest.mark.parametrize(
    "attack", [one for one in ATTACKS if one[2] == "data"], ids=lambda attack: attack[0]
)
async def test_a_page_of_another_site_calls_no_api_even_where_programs_need_no_key(
    browser,
    open_target: Target,
    attack: tuple[str, str, str, tuple[Any, ...]],
    report: Report,
) -> None:
    await asyncio.to_thread(browser.get, open_target.page)
    told = await tried(browser, open_target, attack, "127.0.0.1")
    row(report, "another site, no key needed", attack, told)
    assert is_refused(told), told


@pytest.mark.parametrize("attack", REBOUND_ATTACKS, ids=lambda attack: attack[0])
async def test_a_page_of_a_rebound_name_gets_nothing(
    browser, target: Target, attack: tuple[str, str, str, tuple[Any, ...]], report: Report
) -> None:
    await asyncio.to_thread(browser.get, target.place(attack[2], "/", host=REBOUND))
    told = await tried(browser, target, attack, REBOUND)
    row(report, "a rebound name, same origin", attack, told)
    assert told.startswith("basic 421"), told


@pytest.mark.parametrize("attack", ATTACKS, ids=lambda attack: attack[0])
async def test_a_page_without_an_origin_gets_nothing(
    browser, target: Target, attack: tuple[str, str, str, tuple[Any, ...]], report: Report
) -> None:
    await asyncio.to_thread(browser.get, "data:text/html,<title>theirs</title>")
    told = await tried(browser, target, attack, "127.0.0.1")
    row(report, "no origin", attack, told)
    assert is_refused(told), told


async def test_a_program_with_the_key_gets_what_the_pages_wanted(target: Target) -> None:
    import aiohttp  # noqa: PLC0415 - the last word, that the table above is about something

    async with aiohttp.ClientSession() as client:
        url = target.place("admin", TOKEN, host="127.0.0.1")
        async with client.get(url, headers=MARKED) as answer:
            assert (answer.status, (await answer.json())["credential"]) == (200, "api")
        url = target.place("data", "/api/x", host="127.0.0.1")
        async with client.get(url, headers={"Authorization": f"Bearer {KEY}"}) as answer:
            assert answer.status == 200
    assert target.upstream.seen


def row(
    report: Report, page: str, attack: tuple[str, str, str, tuple[Any, ...]], told: str
) -> None:
    """One line of the table."""
    saw = " ".join(told.split()[:2])
    report.row("Web pages in Chromium", page=page, attack=attack[0], plane=attack[2], saw=saw)
