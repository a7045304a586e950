"""What may go wrong in a login, in words that say what to do; nothing secret, no address's query.

Decides how each is to be treated: what comes after the password was sent is not repeated by
itself unless the password can't be to blame, since accounts lock.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from proxy.errors import Failure, TokenRequestError
from proxy.idp.session.choices import Connector
from proxy.idp.session.page import Page
from proxy.message import Answer, origin
from proxy.oauth.circumstances import Circumstances
from proxy.oauth.refusal import refusal
from proxy.oauth.text import description, without
from proxy.secret import Secret

_FINAL: Final = frozenset({"insecure_login", "not_html", "redirects"})
NAMED: Final = 40
"""Characters of a name that a page gave."""


def unavailable(answer: Answer, place: str, *, password: bool) -> TokenRequestError:
    """An answer that is no page of a login: busy, broken, forbidden, not there.

    Args:
        answer: its status is 400 or more.
        place: who answered.
        password: it answers the very request that carried the password.
    """
    error = refusal(answer, {}, Circumstances(origin(place)))
    slow = password and error.failure is Failure.TRANSIENT
    return TokenRequestError(
        f"{error} during the login",
        failure=Failure.SLOW if slow else error.failure,
        reason=error.reason,
        retry_after=error.retry_after,
    )


def no_form(page: Page, place: str, fields: Sequence[str]) -> TokenRequestError:
    """A page on the way that has nothing to sign in with."""
    there = f" (its fields: {', '.join(_clean(fields))})" if fields else ""
    return _slow(
        "form_not_found",
        f"{titled(page, place)} shows no sign-in form with a user name and a password{there};"
        " name them in form.username and form.password, or set url to an address that leads to it",
    )


def no_login(place: str, status: int) -> TokenRequestError:
    """The address that should lead to a login asks for none."""
    return _slow(
        "form_not_found",
        f"{origin(place)} answered {status} without leading to a sign-in page;"
        " set url to an address there that nobody sees without having signed in",
    )


def no_page(place: str, media_type: str) -> TokenRequestError:
    """Something else than HTML where the login should be."""
    kind = description(media_type.partition(";")[0])[:NAMED] or "nothing"
    return _slow(
        "not_html", f"{origin(place)} sent {kind} where a sign-in page should be; is url right?"
    )


def endless(places: Sequence[str]) -> TokenRequestError:
    """Redirects, or pages, without end."""
    circle = " → ".join(dict.fromkeys(map(origin, places)))
    return _slow(
        "redirects",
        f"the login went on for {len(places)} redirects and pages without an end: {circle}",
    )


def too_long(seconds: float, place: str) -> TokenRequestError:
    """A login that takes more time than anybody waits for."""
    return TokenRequestError(
        f"the login took more than {seconds:g} s and was given up at {origin(place)}",
        failure=Failure.TRANSIENT,
        reason="timeout",
    )


def several(offered: Sequence[Connector], wanted: str | None, place: str) -> TokenRequestError:
    """A choice that nobody made."""
    names = ", ".join(_clean(one.id for one in offered))
    said = f"there is no connector {wanted!r}" if wanted else "it does not say which to take"
    return _slow(
        "connector",
        f"{origin(place)} offers the connectors {names}: {said}; set connector to one of them",
    )


def elsewhere(place: str, target: str) -> TokenRequestError:
    """A form that would take the password to where no redirect led."""
    return _slow(
        "insecure_login",
        f"the sign-in form at {origin(place)} would send the password to {origin(target)},"
        " to which nothing has led: not done",
    )


def refused(page: Page, place: str, password: Secret) -> TokenRequestError:
    """The sign-in page again, or another that tells the person off."""
    told = dict.fromkeys(one.rstrip(".") for one in page.notices[:3] if one)
    words = description("; ".join(told), (password,))
    said = f": {words}" if words else ""
    return ended(
        "login_refused",
        f"{origin(place)} refused the user name or the password{said};"
        " check both, and that the account is not locked",
    )


def not_let_in(place: str, status: int) -> TokenRequestError:
    """An answer without a page to what should be the end of the login, or to the password."""
    return ended(
        "login_refused",
        f"{origin(place)} answered {status} after the password was sent;"
        " check user name and password, and that this person may go there",
    )


def unfinished(page: Page, place: str, fields: Sequence[str]) -> TokenRequestError:
    """A page after the password that leads nowhere."""
    wants = f" asking for {', '.join(_clean(fields))}" if fields else ""
    return ended(
        "login_unfinished",
        f"after the password the login stopped at {titled(page, place)}{wants};"
        " sign in there once by browser and look at what it wants",
    )


def no_cookie(host: str, wanted: Sequence[str], there: Sequence[str]) -> TokenRequestError:
    """A login that ended without the session's cookies."""
    missing = f"no cookie {' or '.join(_clean(wanted))}" if wanted else "no cookie"
    has = f" (it set {', '.join(_clean(there))})" if there else ""
    return ended(
        "no_cookie", f"the login came back to {host}, which set {missing}{has}; see url and cookies"
    )


def judged(error: TokenRequestError, password: Secret, *, signed: bool) -> TokenRequestError:
    """An error as it leaves a login: without the password, which a server may repeat anywhere.

    Args:
        error: what went wrong.
        password: which may stand even in the name of a host.
        signed: it was sent: only what can't be its fault is tried again by itself.
    """
    last = signed and error.failure is Failure.SLOW and error.reason in _FINAL
    return TokenRequestError(
        without(str(error), (password,)),
        failure=Failure.TERMINAL if last else error.failure,
        reason=error.reason,
        error=error.error,
        retry_after=error.retry_after,
        unattended=error.unattended and not last,
    )


def ended(reason: str, message: str) -> TokenRequestError:
    """Not to be tried again by itself."""
    return TokenRequestError(message, failure=Failure.TERMINAL, reason=reason, unattended=False)


def titled(page: Page, place: str) -> str:
    """A page as a message names it."""
    title = description(page.title)[:80]
    return f"the page {title!r} at {origin(place)}" if title else f"a page at {origin(place)}"


def _slow(reason: str, message: str) -> TokenRequestError:
    return TokenRequestError(message, failure=Failure.SLOW, reason=reason)


def _clean(names: Iterable[str]) -> list[str]:
    return [description(name)[:NAMED] for name in names][:10]
