"""Finds the form that signs a person in and fills it: which field is which, hidden ones kept.

Knows pages, not where they came from. WHATWG HTML section 4.10.21.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

from proxy.config import model
from proxy.idp.session.page import Field, Form, Page
from proxy.secret import Secret

MULTIPART: Final = "multipart/form-data"
URLENCODED: Final = "application/x-www-form-urlencoded"
_TYPED: Final = frozenset(
    {"text", "email", "tel", "search", "url", "number", "textarea", "username"}
)
_TO_FILL: Final = _TYPED | {"password"}
_PERSON: Final = ("user", "login", "mail", "account", "uid", "ident", "name")

Pairs = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class SignInForm:
    """A form with the names of its two fields."""

    form: Form
    username: str
    password: str


@dataclass(frozen=True, slots=True)
class Filled:
    """What a form sends."""

    content_type: str
    body: bytes = field(repr=False)


def sign_in_form(page: Page, names: model.Form) -> SignInForm | None:
    """The form that asks for a name and a password, or None if the page has none.

    The one with a single password comes before those with several: they change one.
    """
    found = [one for form in page.forms if (one := _fits(form, names)) is not None]
    return min(found, key=lambda one: _passwords(one.form), default=None)


def asks_nothing(form: Form) -> bool:
    """Whether a form has nothing that a person would fill in."""
    return all(one.kind not in _TO_FILL for one in form.fields)


def to_fill(page: Page) -> tuple[str, ...]:
    """The names of what the page's forms have to fill in, for a message."""
    return tuple(
        one.name[:40] for form in page.forms for one in form.fields if one.kind in _TO_FILL
    )[:10]


def person(found: SignInForm, username: str, password: Secret) -> Pairs:
    """The pairs of the sign-in form with both values in place."""
    return pairs(found.form, {found.username: username, found.password: password.reveal()})


def pairs(form: Form, values: dict[str, str] | None = None) -> Pairs:
    """What the form sends, with ``values`` in place and its first button pressed."""
    values = values or {}
    buttons = [one for one in form.fields if one.kind == "submit"][:1]
    return tuple(
        (one.name, values.get(one.name, one.value))
        for one in form.fields
        if one.sent or one in buttons or one.name in values
    )


def encoded(sent: Pairs, encoding: str) -> Filled:
    """The pairs as a body, ``encoding`` being multipart, or anything else for urlencoded."""
    if "multipart" not in encoding:
        return Filled(URLENCODED, urlencode(sent).encode())
    # Made of what it parts, so that it can't stand there by chance or be put there on purpose.
    boundary = hashlib.sha256(repr(sent).encode("utf-8", "replace")).hexdigest()[:40]
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{_quoted(name)}"\r\n\r\n{value}\r\n'
        for name, value in sent
    ]
    body = "".join([*parts, f"--{boundary}--\r\n"]).encode("utf-8", "replace")
    return Filled(f"{MULTIPART}; boundary={boundary}", body)


def _quoted(name: str) -> str:
    return name.replace("\r", "%0D").replace("\n", "%0A").replace('"', "%22")


def _passwords(form: Form) -> int:
    return sum(one.kind == "password" for one in form.fields)


def _fits(form: Form, names: model.Form) -> SignInForm | None:
    password = _password(form.fields, names.password)
    if password is None:
        return None
    username = _username(form.fields, password, names.username)
    return None if username is None else SignInForm(form, username.name, password.name)


def _password(fields: Sequence[Field], name: str | None) -> Field | None:
    wanted = (one for one in fields if (one.name == name if name else one.kind == "password"))
    return next(wanted, None)


def _username(fields: Sequence[Field], password: Field, name: str | None) -> Field | None:
    """The named field, else the typed one that speaks of a person, else the last before it."""
    if name:
        return next((one for one in fields if one.name == name), None)
    typed = [one for one in fields if one.kind in _TYPED and one is not password]
    speaking = [one for one in typed if any(word in _words(one) for word in _PERSON)]
    before = [one for one in typed if fields.index(one) < fields.index(password)]
    return next(iter(speaking), None) or next(reversed(before), None)


def _words(one: Field) -> str:
    return f"{one.name.lower()} {one.hints}"
