"""One login from the first request to the page behind it: what to do with each page on the way.

Decides by pages alone; knows no cookies (its browser keeps them) and no tokens.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final, NoReturn
from urllib.parse import urlsplit

from proxy.clock import Clock
from proxy.config import model
from proxy.errors import TokenRequestError
from proxy.idp.session import choices, faults, filling, steps
from proxy.idp.session.page import Form, Page, read
from proxy.idp.session.steps import Step, place_of
from proxy.message import Answer, origin
from proxy.net.browser import Browser
from proxy.secret import Secret

MOST: Final = 20
"""Requests that a login may take."""
LONGEST: Final = 60.0
"""Seconds that it may take."""
_ANY: Final = model.Form()


@dataclass(frozen=True, slots=True)
class Person:
    """Who signs in."""

    username: str = field(repr=False)
    password: Secret


@dataclass(frozen=True, slots=True)
class Arrival:
    """The end of a login.

    Attributes:
        url: where it ended, at the host where it began.
        good: whether that answered as to somebody who is signed in.
        before: the browser's turn when the password was sent: cookies set later are of the login.
        entrances: where the first request was led that one with a session is not.
    """

    url: str
    good: bool
    before: int
    entrances: frozenset[str]


class Login:
    """Leads a browser through one login, once.

    Args:
        browser: without any cookie yet.
        sign_in: where it begins and what its pages are like.
        person: who signs in.
        clock: bounds it in time.
        allow_insecure: as the provider's.
    """

    def __init__(
        self,
        browser: Browser,
        sign_in: model.SignIn,
        person: Person,
        clock: Clock,
        *,
        allow_insecure: bool,
    ) -> None:
        self._browser = browser
        self._sign_in = sign_in
        self._person = person
        self._clock = clock
        self._allow_insecure = allow_insecure
        self._deadline = clock.monotonic() + LONGEST
        self._visited: list[str] = []
        self._entrances: list[str] = []
        self._before: int | None = None
        self._sent_at = 0

    async def run(self) -> Arrival:
        """Sign in.

        Raises:
            TokenRequestError: it did not come to a good end; no page's content is told but its
                title, the names of its fields and what it marks as an error.
        """
        try:
            return await self._run()
        except TokenRequestError as error:
            raise faults.judged(error, self._person.password, signed=self._signed) from None

    async def _run(self) -> Arrival:
        step, answer = await self._to_page(steps.get(self._sign_in.url), first=True)
        while True:
            self._check(step, answer)
            page = read(answer.body.decode("utf-8", "replace"))
            place = step.request.url
            if not self._signed:
                following = self._until(page, place, answer)
            elif (onward := self._after(page, step)) is not None:
                following = onward
            else:
                return self._arrived(place, answer)
            step, answer = await self._to_page(following)

    @property
    def _signed(self) -> bool:
        """Whether the password has been sent."""
        return self._before is not None

    async def _to_page(self, step: Step, *, first: bool = False) -> tuple[Step, Answer]:
        """Send and follow redirects to what is none."""
        before = self._visited[-1] if self._visited else None
        while True:
            answer = await self._send(step, before)
            before = step.request.url
            following = steps.redirected(step, answer)
            if following is None:
                return step, answer
            if first:
                self._entrances.append(place_of(following.request.url))
            step = following

    async def _send(self, step: Step, before: str | None) -> Answer:
        url = step.request.url
        steps.check_secure(url, before, allow_insecure=self._allow_insecure)
        self._visited.append(url)
        if len(self._visited) > MOST:
            raise faults.endless(self._visited)
        if self._clock.monotonic() > self._deadline:
            raise faults.too_long(LONGEST, url)
        if step.secret:
            self._before = self._browser.turn
            self._sent_at = len(self._visited)
        return await self._browser.send(step.request)

    def _check(self, step: Step, answer: Answer) -> None:
        """An answer that is no page is the end, unless it comes from where the login leads."""
        place, status = step.request.url, answer.status
        if self._signed and self._is_home(place) and not step.secret:
            return
        if status >= 500 or status == 429:
            raise faults.unavailable(answer, place, password=step.secret)
        media_type = answer.headers.get("content-type", "")
        if "html" in media_type.lower() or (self._signed and self._is_home(place)):
            return
        if self._signed:
            raise faults.not_let_in(place, status)
        if status >= 400:
            raise faults.unavailable(answer, place, password=False)
        raise faults.no_page(place, media_type)

    def _until(self, page: Page, place: str, answer: Answer) -> Step:
        """The next step towards the password."""
        found = filling.sign_in_form(page, self._sign_in.form)
        if found is not None:
            sent = filling.person(found, self._person.username, self._person.password)
            return self._secretly(found.form, sent, place, page.base)
        offered = choices.connectors(page, place)
        if offered:
            chosen = choices.chosen(offered, self._sign_in.connector)
            if chosen is None:
                raise faults.several(offered, self._sign_in.connector, place)
            return steps.get(chosen.target)
        return self._onward(page, place) or self._astray(page, place, answer)

    def _astray(self, page: Page, place: str, answer: Answer) -> NoReturn:
        fields = filling.to_fill(page)
        if not fields and answer.status >= 400:
            raise faults.unavailable(answer, place, password=False)
        if not fields and self._is_home(place):
            raise faults.no_login(place, answer.status)
        raise faults.no_form(page, place, fields)

    def _secretly(self, form: Form, sent: filling.Pairs, place: str, base: str) -> Step:
        """The step that carries the password: to an origin that redirects led to."""
        encoding = self._sign_in.form.encoding
        step = steps.submitted(form, sent, place, base, encoding=encoding, secret=True)
        if origin(step.request.url) not in map(origin, self._visited):
            raise faults.elsewhere(place, step.request.url)
        return step

    def _after(self, page: Page, step: Step) -> Step | None:
        """The next step after the password, None at the end."""
        place = step.request.url
        told_off = step.secret and any(page.notices)
        # Its fields may be named otherwise the second time: any form of the kind says no.
        if filling.sign_in_form(page, self._sign_in.form) or filling.sign_in_form(page, _ANY):
            raise faults.refused(page, place, self._person.password)
        form = choices.approval(page)
        if form is not None:
            return steps.submitted(form, filling.pairs(form), place, page.base)
        if self._is_home(place) and not told_off:
            return None
        fields = filling.to_fill(page)
        following = None if fields else choices.onward(page)
        if isinstance(following, Form):
            return steps.submitted(following, filling.pairs(following), place, page.base)
        if any(page.notices) and not fields:
            raise faults.refused(page, place, self._person.password)
        raise faults.unfinished(page, place, fields)

    def _onward(self, page: Page, place: str) -> Step | None:
        what = choices.onward(page)
        if isinstance(what, Form):
            return steps.submitted(what, filling.pairs(what), place, page.base)
        return None if what is None else steps.linked(what.target, place, page.base)

    def _is_home(self, url: str) -> bool:
        """Whether an address is at the host of the first one; TLS may have come in between."""
        here, home = urlsplit(url), urlsplit(self._sign_in.url)
        if here.hostname != home.hostname:
            return False
        return _port(here.scheme, here.port) in {_port(home.scheme, home.port), 443}

    def _arrived(self, url: str, answer: Answer) -> Arrival:
        if answer.status == 401:
            raise faults.not_let_in(url, answer.status)
        behind = {place_of(one) for one in self._visited[self._sent_at :]}
        entrances = frozenset(self._entrances) - behind - {place_of(self._sign_in.url)}
        return Arrival(url, answer.status < 400, self._before or 0, entrances)


def _port(scheme: str, port: int | None) -> int:
    return port or (443 if scheme == "https" else 80)
