"""A person at a browser, as a script: follows redirections and fills in whatever form is shown.

It runs no scripts and knows no provider: text goes into the field for text, the password into the
one for passwords, everything hidden is kept, and the page is sent by its first button.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urljoin

import aiohttp

from tests.live.tenants import MARY, MARYS_PASSWORD

PAGES = 10
"""How many pages a sign-in may have."""


@dataclass(slots=True)
class Shown:
    """A form on a page."""

    action: str
    method: str
    fields: dict[str, str] = field(default_factory=dict)
    kinds: dict[str, str] = field(default_factory=dict)


class Forms(HTMLParser):
    """The forms of a page, in order."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[Shown] = []
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep what a form needs."""
        named = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(Shown(named.get("action", ""), named.get("method", "get")))
            self._inside = True
        elif tag in ("input", "button") and self._inside and named.get("name"):
            self._keep(named)

    def handle_endtag(self, tag: str) -> None:
        """What stands outside of forms is not sent."""
        self._inside = self._inside and tag != "form"

    def _keep(self, named: dict[str, str]) -> None:
        form, kind = self.found[-1], named.get("type", "text")
        if kind == "checkbox":
            return
        if kind == "submit" and "submit" in form.kinds.values():
            return  # the first button is the one that goes on
        form.fields[named["name"]] = named.get("value", "")
        form.kinds[named["name"]] = kind


class Person:
    """Somebody who signs in and agrees to everything.

    Args:
        username: what goes into the field for text.
        password: what goes into the one for passwords.
    """

    def __init__(self, username: str = MARY, password: str = MARYS_PASSWORD) -> None:
        self._values = {"text": username, "email": username, "password": password}

    async def visit(self, url: str, *, until: str | None = None) -> str:
        """Go to ``url`` and on, until nothing is left to fill in; what was shown last.

        ``until``: an address that is not asked for any more, but returned when a page leads there.
        """
        jar = aiohttp.CookieJar(unsafe=True, treat_as_secure_origin=[origin(url)])
        connector = aiohttp.TCPConnector(ssl=False)  # a person clicks on
        async with aiohttp.ClientSession(cookie_jar=jar, connector=connector) as http:
            answer = await self._follow(http, "get", url, {}, until)
            for _ in range(PAGES):
                if until and answer[0].startswith(until):
                    return answer[0]
                form = next(iter(forms(answer[1])), None)
                if form is None:
                    return answer[1]
                target = urljoin(answer[0], form.action)
                answer = await self._follow(http, form.method, target, self._filled(form), until)
        raise AssertionError(f"the sign-in does not end: {answer[1][:2000]}")

    def _filled(self, form: Shown) -> dict[str, str]:
        return {
            name: value or self._values.get(form.kinds[name], "")
            for name, value in form.fields.items()
        }

    async def _follow(
        self,
        http: aiohttp.ClientSession,
        method: str,
        url: str,
        filled: dict[str, str],
        until: str | None,
    ) -> tuple[str, str]:
        """The address and text of the page that this leads to."""
        sent = {"params": filled} if method.lower() == "get" else {"data": filled}
        sent = sent if filled else {}
        for _ in range(PAGES):
            async with http.request(method, url, allow_redirects=False, **sent) as answer:
                text = await answer.text()
            if answer.status not in (301, 302, 303, 307):
                return url, text
            url = urljoin(url, answer.headers["Location"])
            if until and url.startswith(until):
                return url, ""
            method, sent = "get", {}
        raise AssertionError(f"redirected without an end: {url}")


def forms(page: str) -> list[Shown]:
    """The forms that a person would see and could send."""
    found = Forms()
    found.feed(page)
    return [form for form in found.found if form.fields or form.method.lower() == "post"]


def origin(url: str) -> str:
    """Scheme, host and port of an address."""
    found = re.match(r"https?://[^/]+", url)
    return found[0] if found else url


if __name__ == "__main__":
    import sys

    asyncio.run(Person().visit(sys.argv[1]))
