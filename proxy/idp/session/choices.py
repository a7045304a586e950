"""What to press on a page on the way that asks for no password: connector, approval, go on.

Knows Dex's pages of connectors and of consent, and oauth2-proxy's sign-in button; anything else
with exactly one thing to press is pressed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urljoin, urlsplit

from proxy.idp.session.filling import asks_nothing
from proxy.idp.session.page import Form, Link, Page

_OF_TYPE: Final = "dex-btn-icon--"
_WITH_PASSWORD: Final = frozenset({"local", "ldap", "keystone", "atlassian-crowd", "mockPassword"})
"""Dex's types of connectors that show a form of Dex's own."""
_SIGN_IN: Final = re.compile(r"\b(sign|log)[ -]?[io]n\b|\blogin\b", re.IGNORECASE)
_AWAY: Final = re.compile(r"out\b|\b(cancel|deny|reject|register|forgot)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Connector:
    """One of Dex's ways to log in.

    Attributes:
        id: the last segment of its address; ``name`` is what its button says.
        password: True or False where the page tells whether it has a form, else None.
    """

    id: str
    name: str
    target: str
    password: bool | None


def connectors(page: Page, place: str) -> tuple[Connector, ...]:
    """The connectors that a page of Dex offers: links to what is right below its own path."""
    here = urlsplit(place).path.rstrip("/")
    found = (_connector(link, place, here) for link in page.links)
    return tuple({one.id: one for one in found if one is not None}.values())


def _connector(link: Link, place: str, here: str) -> Connector | None:
    try:
        target = urljoin(place, link.target)
        parent, _, last = urlsplit(target).path.rpartition("/")
    except ValueError:  # half of an IPv6 address, for one
        return None
    if parent != here or not here.endswith("/auth") or not last:
        return None
    types = [one.removeprefix(_OF_TYPE) for one in link.classes if one.startswith(_OF_TYPE)]
    password = None if not types else any(one in _WITH_PASSWORD for one in types)
    return Connector(last, link.text.removeprefix("Log in with ").strip(), target, password)


def chosen(offered: Sequence[Connector], wanted: str | None) -> Connector | None:
    """The wanted one, by id or else by name; without a wish the only one with a password."""
    if wanted is None:
        fit = [one for one in offered if one.password]
        return fit[0] if len(fit) == 1 else offered[0] if len(offered) == 1 else None
    by_id = [one for one in offered if one.id == wanted]
    by_name = [one for one in offered if one.name.lower() == wanted.lower()]
    return next(iter([*by_id, *by_name]), None)


def approval(page: Page) -> Form | None:
    """The form of Dex's consent page that grants access."""
    for form in page.forms:
        sent = {(one.name, one.value) for one in form.fields}
        if ("approval", "approve") in sent and any(name == "req" for name, _ in sent):
            return form
    return None


def onward(page: Page) -> Form | Link | None:
    """What starts or continues a login: the one form without fields to fill, or the one link."""
    empty = [form for form in page.forms if asks_nothing(form) and not _AWAY.search(form.text)]
    told = [form for form in empty if _SIGN_IN.search(form.text)]
    links = {link.target: link for link in page.links if _SIGN_IN.search(link.text)}
    if len(told) == 1 or len(empty) == 1:
        return (told if len(told) == 1 else empty)[0]
    return next(iter(links.values())) if not empty and len(links) == 1 else None
