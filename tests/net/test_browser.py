"""Cookies go where RFC 6265 lets them, and nowhere else."""

from __future__ import annotations

import pytest

from proxy.message import Answer, Request
from proxy.net.browser import Browser
from tests.support.clock import FakeClock

HOME = "https://app.example/login/form"


class Web:
    """Answers every request with what is to be set, and remembers the cookies it was sent."""

    def __init__(self) -> None:
        self.clock = FakeClock()
        self.sets: tuple[str, ...] = ()
        self.sent: list[str | None] = []

    async def send(self, request: Request) -> Answer:
        self.sent.append(request.headers.get("Cookie"))
        now = self.clock.now()
        return Answer(200, {"date": "Tue, 14 Nov 2023 22:13:20 GMT"}, b"", now, now, self.sets)


async def visit(browser: Browser, web: Web, url: str, *sets: str) -> str | None:
    web.sets = sets
    await browser.send(Request("GET", url))
    return web.sent[-1]


@pytest.mark.parametrize(
    ("sets", "url", "goes"),
    [
        ("a=1", "https://app.example/login/next", True),
        ("a=1", "https://app.example/other", False),
        ("a=1; Path=/", "https://app.example/other", True),
        ("a=1; Path=/lo", "https://app.example/login/next", False),
        ("a=1; Path=/", "https://app.example:8443/", True),
        ("a=1; Path=/", "https://sub.app.example/", False),
        ("a=1; Path=/; Domain=app.example", "https://sub.app.example/", True),
        ("a=1; Path=/; Domain=.app.example", "https://sub.app.example/", True),
        ("a=1; Path=/; Domain=evil.example", "https://evil.example/", False),
        ("a=1; Path=/; Domain=app.example", "https://notapp.example/", False),
        ("a=1; Path=/", "http://app.example/", True),
        ("a=1; Path=/; Secure", "http://app.example/", False),
        ("a=1; Path=/; Max-Age=60", "https://app.example/", True),
        ("a=1; Path=/; Max-Age=0", "https://app.example/", False),
        ("a=1; Path=/; Expires=Tue, 14 Nov 2023 22:13:30 GMT", "https://app.example/", True),
        ("a=1; Path=/; Expires=Tue, 14 Nov 2023 22:13:10 GMT", "https://app.example/", False),
        ("a=1; Path=/; SameSite=Strict", "https://app.example/", True),
    ],
)
async def test_a_cookie_goes_where_it_may(sets: str, url: str, goes: bool) -> None:
    web = Web()
    browser = Browser(web)
    await visit(browser, web, HOME, sets)
    assert await visit(browser, web, url) == ("a=1" if goes else None)


async def test_a_host_that_is_an_address_has_cookies_too() -> None:
    web = Web()
    browser = Browser(web)
    await visit(browser, web, "http://127.0.0.1:8000/", "a=1")
    assert await visit(browser, web, "http://127.0.0.1:8000/") == "a=1"


async def test_on_this_machine_a_secure_cookie_needs_no_tls() -> None:
    web = Web()
    browser = Browser(web)
    await visit(browser, web, "http://localhost:8000/", "a=1; Secure; SameSite=None")
    assert await visit(browser, web, "http://localhost:8000/") == "a=1"


async def test_a_value_goes_back_as_it_came() -> None:
    web = Web()
    browser = Browser(web)
    await visit(browser, web, HOME, 'a="x y|z=="; Path=/', "b=1,2; Path=/")
    assert await visit(browser, web, HOME) == 'a="x y|z=="; b=1,2'


async def test_a_later_cookie_replaces_one_and_another_takes_it_back() -> None:
    web = Web()
    browser = Browser(web)
    await visit(browser, web, HOME, "a=1; Path=/", "b=1; Path=/")
    await visit(browser, web, HOME, "a=2; Path=/", "b=; Path=/; Max-Age=0")
    assert await visit(browser, web, HOME) == "a=2"


async def test_a_cookie_tells_its_end_and_its_turn() -> None:
    web = Web()
    browser = Browser(web)
    await visit(browser, web, HOME, "a=1; Path=/", "b=1; Path=/; Max-Age=7")
    first, second = browser.cookies(HOME)
    assert (first.ends, first.turn) == (None, 1)
    assert (second.ends, second.turn) == (web.clock.now().later(7.0), 2)
    assert browser.turn == 2


@pytest.mark.parametrize("sets", ["=1", "alone", "a b=1", "a=\u00fc", "path=1"])
async def test_what_can_not_be_kept_is_counted(sets: str) -> None:
    web = Web()
    browser = Browser(web)
    await visit(browser, web, HOME, sets)
    assert await visit(browser, web, HOME) is None
    assert browser.odd == 1
