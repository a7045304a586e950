"""The status page in a real Chromium: what it shows, to whom, how soon, and what it asks for."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import random
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest
import pytest_asyncio
from selenium.webdriver.common.keys import Keys

from proxy.control.live import MOST
from tests.live.glass import DESK, PHONE, Glass, glass
from tests.live.report import Report
from tests.live.states import HOSTILE, STATES, Showing, down, hostile, now, showing
from tests.support.identity_provider import CLIENT, IdentityProvider, Reply
from tests.support.process import Sidecar, free_ports, running

pytestmark = pytest.mark.asyncio(loop_scope="session")

SOON = 2.0
"""Seconds within which an outage is on the page."""


A_MINUTE = """
for (let tick = 0; tick < 60; tick++)
  for (const one of [known.all, ...[...known.routes.values()].map(route => route.series)])
    one.push(0, 0, NOTHING, 1);
draw();
"""
BREAKING_IN = """
const done = arguments[arguments.length - 1], told = [];
const script = document.createElement('script');
try { script.text = 'window.hacked = 1'; } catch { told.push('typed'); }
try { document.body.innerHTML = '<b>'; } catch { told.push('typed'); }
fetch('http://localhost:1/').catch(() => told.push('refused'))
  .then(() => done([...told, window.hacked]));
"""
CONTENT = "return document.getElementById(arguments[0]).innerText"


@pytest.fixture(scope="module")
def looking() -> Iterator[Glass]:
    """One browser for all."""
    with tempfile.TemporaryDirectory(prefix="glass-") as directory, glass(Path(directory)) as seen:
        yield seen


@pytest_asyncio.fixture(loop_scope="session")
async def shown() -> AsyncIterator[Showing]:
    """A control plane that shows what a test sets."""
    async with showing() as here:
        yield here


@pytest.mark.parametrize("state", list(STATES))
async def test_axe_finds_nothing_and_nothing_scrolls_sideways(
    looking: Glass, shown: Showing, state: str
) -> None:
    shown.now = STATES[state]()
    await looking.go(shown.url)
    traffic(shown)
    await looking.until("return known.all.filled >= 1")
    looks = [*itertools.product((DESK, PHONE), ("light", "dark"))]
    for width, scheme in looks[::3] if state == "many" else looks:  # of many one look takes long
        await looking.like(width, scheme)
        assert await looking.axe() == [], (width, scheme)
        assert await looking.run("return document.documentElement.scrollWidth") <= width
        await looking.picture(f"{state}-{width}-{scheme}")
    assert looking.complaints() == []


def traffic(shown: Showing) -> None:
    """Some requests, two of which failed at the first route's API."""
    chance = random.Random(1)
    labels = list(shown.now.routes)
    for label in labels[:30]:
        for _ in range(5):
            shown.request(label, chance.lognormvariate(-3, 1))
    if shown.now.credentials[0].failing_since is not None:
        shown.request(labels[0], 0.2, error="connection_refused")


async def test_every_state_is_one_sentence_with_what_to_do(looking: Glass, shown: Showing) -> None:
    await looking.like()
    for state, words in (
        ("well", "All is well."),
        ("outage", "inference has no token: https://id.example.com can't be reached"),
        ("refused", "inference has no token: the client is known, but its secret is wrong"),
        ("many", "20 credentials have no token"),
        ("drained", "It is on its way out"),
    ):
        shown.now = STATES[state]()
        await looking.go(shown.url)
        await looking.says(words)
    shown.now = STATES["refused"]()
    await looking.says("its secret is wrong")
    assert "What to do: copy the secret anew" in await looking.said()
    assert "Since " in await looking.said()
    rows = await looking.run(CONTENT, "credentials")
    assert rows.index("inference") < rows.index("fine")
    assert "Run: token-sidecar login person." in rows


async def test_charts_and_times_follow_the_requests(looking: Glass, shown: Showing) -> None:
    shown.now = STATES["well"]()
    await looking.go(shown.url)
    for _ in range(40):
        shown.request("/infer/", 0.004)
    shown.request("/infer/", 0.9)
    await looking.until("return known.routes.get('/infer/').series.lately('rate', 5) > 20")
    p50, p99 = await looking.run(
        "const s = known.routes.get('/infer/').series; return [s.newest('p50'), s.newest('p99')]"
    )
    assert 0.0025 < p50 <= 0.005
    assert 0.5 < p99 <= 1.0
    label = await looking.run(
        "return document.querySelector('#routes svg').getAttribute('aria-label')"
    )
    assert label.startswith("Requests in the last 2 minutes: now ")
    drawn = await looking.run(
        "return document.querySelector('#rate-chart .bars').getAttribute('d')"
    )
    assert drawn.startswith("M")


async def test_a_route_that_fails_is_a_trouble_until_a_minute_later(
    looking: Glass, shown: Showing
) -> None:
    shown.now = STATES["well"]()
    await looking.go(shown.url)
    await looking.says("All is well.")
    shown.request("/infer/", 0.1, error="client_gone")
    shown.request("/infer/", 0.1, error="connection_refused")
    await looking.says("1 request failed here within a minute, on /infer/: the API refuses")
    assert "What to do: check the port, and that the server runs." in await looking.said()
    await looking.run(A_MINUTE)
    await looking.says("All is well.")


async def test_nothing_that_others_wrote_is_more_than_text(looking: Glass, shown: Showing) -> None:
    shown.now = hostile()
    for width in (DESK, PHONE):
        await looking.like(width)
        await looking.go(shown.url)
        shown.request(HOSTILE, 0.1, error="dns_error")
        await looking.until("return known.all.filled >= 1")
        assert await looking.run("return document.images.length + document.scripts.length") == 1
        assert await looking.run("return window.hacked === undefined")
        assert await looking.run("return document.documentElement.scrollWidth") <= width
        assert HOSTILE in await looking.run(
            "return document.getElementById('credentials').innerText"
        )
        assert HOSTILE in await looking.run(CONTENT, "further")
    assert looking.complaints() == []


async def test_its_policy_stops_what_would_get_in(looking: Glass, shown: Showing) -> None:
    await looking.go(shown.url)
    told = await asyncio.to_thread(looking.driver.execute_async_script, BREAKING_IN)
    assert told == ["typed", "typed", "refused", None]
    assert any("Content Security Policy" in one for one in looking.complaints())


async def test_only_the_admin_listener_is_ever_asked(looking: Glass, shown: Showing) -> None:
    looking.requested()
    await looking.like()
    shown.now = STATES["outage"]()
    await looking.go(shown.url)
    await looking.until("return known.all.filled >= 2")
    assert looking.requested() == {f"{shown.url}/", f"{shown.url}/v1/events"}


async def test_all_of_it_goes_by_the_keyboard(looking: Glass, shown: Showing) -> None:
    shown.now = STATES["many"]()
    await looking.like()
    await looking.go(shown.url)
    seen = [await looking.tab() for _ in range(14)]
    assert seen == [
        *("#main", "#credentials-title", "#routes-title", "#further-title"),
        *("credentials-filter", "credentials-only", "credentials-more"),
        *("routes-filter", "routes-order", "routes-more"),
        *("/v1/status", "/metrics"),
        *seen[12:],
    ]
    await looking.run("document.getElementById('credentials-filter').focus()")
    await looking.press("tenant-00")
    await looking.until("return document.querySelectorAll('#credentials tbody tr').length === 20")
    await looking.press(Keys.TAB)
    await looking.press(Keys.SPACE)
    await looking.until("return document.querySelectorAll('#credentials tbody tr').length === 10")
    await looking.run("document.getElementById('routes-more').focus()")
    await looking.press(Keys.ENTER)
    await looking.until("return document.querySelectorAll('#routes tbody tr').length === 50")
    assert await looking.run("return document.activeElement.textContent") == "/team-025/"
    await looking.run("document.getElementById('routes-order').focus()")
    await looking.press("by")
    assert await looking.run("return document.getElementById('routes-order').value") == "name"


async def test_500_credentials_and_1000_routes_stay_cheap(
    looking: Glass, shown: Showing, report: Report
) -> None:
    shown.now = STATES["many"]()
    began = time.monotonic()
    await looking.go(shown.url)
    first = time.monotonic() - began
    chance = random.Random(2)
    for _ in range(3):
        for label in shown.now.routes:
            shown.request(label, chance.random())
        ticks = await looking.run("return known.all.filled")
        await looking.until(f"return known.all.filled > {ticks}")
    drawing = await looking.run("const t = performance.now(); draw(); return performance.now() - t")
    rows = await looking.run("return document.querySelectorAll('tbody tr').length")
    report.row(
        "Status page with 500 credentials and 1,000 busy routes",
        first_news=f"{first:.2f} s",
        one_drawing=f"{drawing:.1f} ms",
        rows=rows,
    )
    assert rows == 50
    assert drawing < 250
    await looking.run(
        "const f = document.getElementById('routes-filter'); f.value = '999';"
        " f.dispatchEvent(new Event('input'))"
    )
    assert await looking.run("return document.getElementById('routes-count').textContent") == (
        "1 of 1,000"
    )


async def test_a_screen_reader_hears_a_change_once_and_no_storm(
    looking: Glass, shown: Showing
) -> None:
    shown.now = STATES["well"]()
    await looking.go(shown.url)
    await looking.until("return document.getElementById('spoken').textContent === 'All is well.'")
    await looking.run(
        "window.announced = 0; spoken.at = 0; new MutationObserver(() => announced++)"
        ".observe(document.getElementById('spoken'), {childList: true, characterData: true})"
    )
    for number in range(1, 5):
        shown.now = now(credentials=tuple(down(f"c{one}") for one in range(number)))
        await looking.says("c0 has" if number == 1 else f"{number} credentials have")
    assert await looking.run("return announced") == 1
    live = await looking.run(
        "return document.querySelectorAll('[aria-live], [role=status], [role=alert]').length"
    )
    assert live == 1


async def test_motion_is_left_out_and_paper_gets_no_controls(
    looking: Glass, shown: Showing
) -> None:
    shown.now = STATES["well"]()
    await looking.like(motion="reduce")
    await looking.go(shown.url)
    moving = "return getComputedStyle(document.querySelector('.meter span')).transitionDuration"
    assert await looking.run(moving) == "0s"
    await looking.like(media="print")
    hidden = (
        "return getComputedStyle(document.getElementById('routes-filter').parentElement).display"
    )
    assert await looking.run(hidden) == "none"
    assert len((await looking.cdp("Page.printToPDF"))["data"]) > 10_000
    await looking.like()


async def test_where_too_many_follow_already_it_asks_by_itself(
    looking: Glass, shown: Showing
) -> None:
    shown.now = STATES["outage"]()
    async with aiohttp.ClientSession() as many, contextlib.AsyncExitStack() as followers:
        for _ in range(MOST):
            await followers.enter_async_context(many.get(f"{shown.url}/v1/events"))
        await looking.go(shown.url)
        await looking.says("inference has no token")
        asking = "return document.getElementById('link').textContent === 'asking every 5 s'"
        await looking.until(asking)
    assert any("503" in one for one in looking.complaints())


async def test_without_scripts_there_are_plain_tables(looking: Glass, shown: Showing) -> None:
    shown.now = STATES["outage"]()
    await looking.cdp("Emulation.setScriptExecutionDisabled", value=True)
    try:
        await asyncio.to_thread(looking.driver.get, shown.url)
        tree = await looking.cdp("Accessibility.getFullAXTree")
        said = " ".join(str(one.get("name", {}).get("value", "")) for one in tree["nodes"])
        await looking.picture("without-scripts")
    finally:
        await looking.cdp("Emulation.setScriptExecutionDisabled", value=False)
    assert "inference has no token: https://id.example.com can't be reached" in said
    assert "Next renewal in" in said
    assert "Filter" not in said


def config(provider: IdentityProvider, data: int, admin: int) -> str:
    return f"""\
listen: 127.0.0.1:{data}
admin: 127.0.0.1:{admin}
drain: {{delay: 3s, grace: 1s}}
credentials:
  api:
    token_url: {provider.token_url}
    client_id: {CLIENT[0]}
    client_secret: {{env: API_SECRET}}
routes:
  - path: /
    upstream: http://127.0.0.1:1/
    credential: api
"""


async def test_an_outage_the_end_and_a_new_beginning_are_on_the_page_at_once(
    looking: Glass, report: Report
) -> None:
    await looking.like()
    data, admin = free_ports(2)
    with tempfile.TemporaryDirectory(prefix="page-") as directory:
        home = Path(directory)
        async with IdentityProvider() as provider:
            provider.lifetime = 4.0  # seconds, so that the end of a token need not be waited for
            text = config(provider, data, admin)
            environ = {"API_SECRET": CLIENT[1]}
            async with running(text, home, admin=f"127.0.0.1:{admin}", environ=environ) as one:
                await one.ready()
                await outage_is_told(looking, one, provider, report)
                one.send(15)
                await looking.says("It is on its way out")
                assert await one.ended() == 0
                await looking.says("The sidecar has ended at ")
            async with running(text, home, admin=f"127.0.0.1:{admin}", environ=environ) as one:
                await looking.says("All is well.")
                one.process.kill()
                await looking.says("Not connected since ")
                assert "goes on by itself when the sidecar is back" in await looking.said()


async def outage_is_told(
    looking: Glass, sidecar: Sidecar, provider: IdentityProvider, report: Report
) -> None:
    """The provider goes away right before a renewal is due, refuses when it is back, then mends."""
    await looking.go(f"http://{sidecar._admin}/")
    await looking.says("All is well.")
    await due(sidecar)
    gone = time.time()
    await provider.stop()
    on_page = await looking.says("api can't be renewed, though its token lives")
    await looking.says("api has no token", 15)
    provider.otherwise = Reply(
        401, {"error": "invalid_client", "error_description": f"{HOSTILE} {CLIENT[1]}"}
    )
    await provider.start()
    await looking.says("api has no token: the provider does not know the client", 15)
    whole = str(await looking.run("return document.documentElement.outerHTML"))
    provider.otherwise = None
    own = {"X-Token-Sidecar": "1"}
    assert CLIENT[1] not in whole
    assert not any(token in whole for token in provider.issued)
    assert await looking.run("return window.hacked === undefined")
    await refreshed(sidecar, own)
    back = time.time()
    well = await looking.says("All is well.")
    report.row(
        "An outage on the status page",
        said_after_provider_went=f"{on_page - gone:.2f} s",
        well_after_refresh=f"{well - back:.2f} s",
    )
    assert on_page - gone < SOON
    assert well - back < SOON


async def due(sidecar: Sidecar) -> None:
    """Wait until the next renewal is at hand."""
    while True:
        status = json.loads((await sidecar.ask("/v1/status")).body)
        left = status["credentials"]["api"]["next_renewal_in_seconds"]
        if 0.1 < left < 0.35:
            return
        await asyncio.sleep(0.05)


async def refreshed(sidecar: Sidecar, fields: dict[str, str]) -> None:
    """Ask it to try again now, over its own socket."""
    connector = aiohttp.UnixConnector(str(sidecar.own_socket))
    async with (
        aiohttp.ClientSession(connector=connector) as session,
        session.post("http://localhost/v1/credentials/api/refresh", headers=fields) as answer,
    ):
        assert answer.status == 200, await answer.text()
