"""A web application with a sign-in form over real sockets, which does as it is told.

    async with WebApplication() as app:
        app.pages["/login"] = Reply(...)      # instead of the usual answer
        ... app.url ...
        assert app.asked == ["GET /", "GET /login", "POST /login", "GET /"]

By itself it sends who has no session from ``/`` to ``/login``, takes Mary's password there and
sets the cookie ``session``.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from email.utils import formatdate
from typing import Self

from aiohttp import web

from tests.support.identity_provider import USER, Reply

Answering = Callable[[web.Request, dict[str, str]], Reply]

FORM = """<!doctype html><html><head><title>Sign in</title></head><body>
<form action="/search"><input name="q"></form>
<form method="post" action="/login?step=1"><input type="hidden" name="csrf" value="t&amp;k">
<label>Name <input name="login"></label><input type="password" name="password">
<input type="checkbox" name="remember"><button>Sign in</button></form></body></html>"""
REFUSED = FORM.replace("<label>", "<p class='form-error'>Wrong name or password</p><label>")
HTML = {"Content-Type": "text/html; charset=utf-8"}


def page(body: str, status: int = 200, **headers: str) -> Reply:
    """A page of HTML."""
    return Reply(status, body, {**HTML, **headers})


def redirect(target: str, status: int = 302, **headers: str) -> Reply:
    """A redirect."""
    return Reply(status, "", {"Location": target, **headers})


class WebApplication:
    """Counts, remembers, answers.

    Attributes:
        cookie: attributes of the session's cookie.
        pages: a path → what it answers, or a function of the request and its form.
        asked: method and path of every request, oldest first.
        forms: every form that was posted; ``content_types`` as what.
        cookies: the ``Cookie`` field of every request.
        sets: further ``Set-Cookie`` values of the answer to the right password.
    """

    def __init__(self, host: str = "127.0.0.1") -> None:
        self.cookie = "Path=/; HttpOnly"
        self.pages: dict[str, Reply | Answering] = {}
        self.asked: list[str] = []
        self.forms: list[dict[str, str]] = []
        self.content_types: list[str] = []
        self.headers: list[dict[str, str]] = []
        self.cookies: list[str | None] = []
        self.sets: list[str] = []
        self._host = host
        self._port = 0
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """Where it begins."""
        return f"http://{self._host}:{self._port}/"

    async def __aenter__(self) -> Self:
        application = web.Application()
        application.router.add_route("*", "/{path:.*}", self._answer)
        self._runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, 0).start()
        self._port = int(self._runner.addresses[0][1])
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        form = {name: str(value) for name, value in (await request.post()).items()}
        self.asked.append(f"{request.method} {request.path}")
        self.headers.append(dict(request.headers))
        self.cookies.append(request.headers.get("Cookie"))
        if request.method == "POST":
            self.forms.append(form)
            self.content_types.append(request.content_type)
        told = self.pages.get(request.path)
        if told is None:
            reply, sets = self._usual(request, form)
        else:
            reply, sets = (told(request, form) if callable(told) else told), []
        response = web.Response(status=reply.status, headers=reply.headers)
        response.body = reply.body.encode() if isinstance(reply.body, str) else reply.body
        response.headers.setdefault("Date", formatdate(time.time(), usegmt=True))
        for one in sets:
            response.headers.add("Set-Cookie", one)
        return response

    def _usual(self, request: web.Request, form: dict[str, str]) -> tuple[Reply, list[str]]:
        if request.path == "/login":
            if request.method != "POST":
                return page(FORM), ["visit=1; Path=/login"]
            if (form.get("login"), form.get("password")) != USER or form.get("csrf") != "t&k":
                return page(REFUSED), []
            return redirect("/", 303), [f"session=s3ss10n; {self.cookie}", *self.sets]
        if "session=s3ss10n" in (request.headers.get("Cookie") or ""):
            return page(
                "<title>Home</title><form action='/logout'><button>Log out</button></form>"
            ), []
        return redirect("/login?next=%2F"), []
