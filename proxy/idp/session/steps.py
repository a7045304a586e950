"""Which request comes next, and whether it may be sent at all: redirects, links, forms.

Decides where a password may go: over TLS or to this machine, to where redirects led, never in an
address. RFC 9110 section 15.4, RFC 3986 section 5.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final
from urllib.parse import SplitResult, quote, urldefrag, urlencode, urljoin, urlsplit, urlunsplit

from proxy.errors import Failure, TokenRequestError
from proxy.idp.session.filling import Pairs, encoded
from proxy.idp.session.page import Form
from proxy.message import Answer, Request, is_loopback, origin

REDIRECTS: Final = frozenset({301, 302, 303, 307, 308})
_AGAIN: Final = frozenset({307, 308})
_AS_WRITTEN: Final = "%/:?#[]@!$&'()*+,;=~|"
_ACCEPTED: Final = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
"""Some guards redirect only who asks for a page, and answer everybody else 401."""


@dataclass(frozen=True, slots=True)
class Step:
    """A request on the way; ``secret`` where it carries the password."""

    request: Request
    secret: bool = False


def get(url: str) -> Step:
    """Open an address."""
    return Step(Request("GET", urldefrag(url).url, _ACCEPTED))


def place_of(url: str) -> str:
    """``scheme://authority/path`` of a URL, without query and userinfo."""
    return origin(url) + (urlsplit(url).path or "/")


def redirected(step: Step, answer: Answer) -> Step | None:
    """Where an answer sends on to, or None for one that sends nowhere.

    Raises:
        TokenRequestError: it sends to what is no address, or a password to another origin.
    """
    location = answer.headers.get("location", "").strip()
    if answer.status not in REDIRECTS or not location:
        return None
    url = _resolved(step.request.url, location)
    if answer.status not in _AGAIN or step.request.method == "GET":
        return get(url)
    if step.secret and origin(url) != origin(step.request.url):
        raise _refused(
            f"{origin(step.request.url)} wants the password repeated to {origin(url)}: not done"
        )
    request = step.request
    return Step(Request(request.method, url, request.headers, request.body), step.secret)


def submitted(
    form: Form,
    sent: Pairs,
    place: str,
    base: str,
    *,
    encoding: str | None = None,
    secret: bool = False,
) -> Step:
    """The request that sends a form.

    Raises:
        TokenRequestError: its target is no address, or a password would stand in an address.
    """
    url = _resolved(_resolved(place, base) if base else place, form.action or place)
    if form.method != "post":
        if secret:
            raise _refused(
                f"the sign-in form at {origin(place)} would put the password into an address"
                " (method GET): not done"
            )
        return get(_with_query(url, sent))
    filled = encoded(sent, encoding or form.encoding)
    headers = {**_ACCEPTED, "Content-Type": filled.content_type, "Origin": origin(place)}
    return Step(Request("POST", url, headers, filled.body), secret)


def linked(target: str, place: str, base: str) -> Step:
    """Follow a link.

    Raises:
        TokenRequestError: its target is no address.
    """
    return get(_resolved(_resolved(place, base) if base else place, target))


def check_secure(url: str, before: str | None, *, allow_insecure: bool) -> None:
    """Refuse what anybody on the way could read or change.

    Args:
        url: where to go.
        before: where that was said, None at the beginning.
        allow_insecure: as configured.

    Raises:
        TokenRequestError: it is refused.
    """
    parts = urlsplit(url)
    if parts.scheme == "https" or (parts.scheme == "http" and allow_insecure):
        return
    if parts.scheme != "http":
        raise _refused(f"{origin(before or url)} leads to what is neither http nor https")
    if before is not None and urlsplit(before).scheme == "https":
        raise _refused(
            f"{origin(before)} leads from https to {origin(url)}: not followed;"
            " allow_insecure: true would allow it"
        )
    if not is_loopback(parts.hostname or ""):
        raise _refused(
            f"{origin(url)} is not secure: the password would be readable on the way;"
            " use https, or allow_insecure: true"
        )


def _with_query(url: str, sent: Pairs) -> str:
    parts = urlsplit(url)
    return urlunsplit((parts.scheme, parts.netloc, parts.path, urlencode(sent), ""))


def _resolved(base: str, target: str) -> str:
    parts = _address(base, target)
    if parts is None:
        raise _refused(f"{origin(base)} leads to what is no address")
    path, query = quote(parts.path, _AS_WRITTEN), quote(parts.query, _AS_WRITTEN)
    return urlunsplit((parts.scheme, parts.netloc, path, query, ""))


def _address(base: str, target: str) -> SplitResult | None:
    try:
        parts = urlsplit(urljoin(base, target))
        known = parts.scheme not in {"http", "https"} or (parts.hostname and parts.port != 0)
    except ValueError:  # half of an IPv6 address, for one
        return None
    return parts if known else None


def _refused(message: str) -> TokenRequestError:
    return TokenRequestError(message, failure=Failure.SLOW, reason="insecure_login")
