"""What a browser brings back: RFC 6749 sections 4.1.2 and 4.1.2.1, ``iss`` by RFC 9207.

One pure function from a query to the code in it, or to why there is none; judges whether it is the
answer to our request before it believes anything else that it says.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import parse_qsl

from proxy.errors import Failure, TokenRequestError
from proxy.message import origin
from proxy.oauth.authorization import AuthorizationRequest, same
from proxy.oauth.text import description, error_code
from proxy.secret import Secret

LONGEST: Final = 8192
"""Characters: more than any provider sends, less than would trouble anybody."""
MOST_FIELDS: Final = 100

_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_QUERY: Final = re.compile(r"(?:^|[?&])(?:code|state|error)=")
_CODE: Final = re.compile(r"[\x21-\x7e]+")  # RFC 6749 appendix A.11, without the blank
_ANSWERED: Final = ("code", "state", "iss", "error", "error_description")
_DENIED: Final = "log in again and accept, or ask whoever runs the provider to let you use it"
_ADVICE: Final[Mapping[str, str]] = {
    "access_denied": _DENIED,
    "consent_required": _DENIED,
    "interaction_required": "log in again without prompt=none in params",
    "login_required": "log in again without prompt=none in params",
    "account_selection_required": "log in again without prompt=none in params",
    "invalid_scope": "check scope",
    "invalid_target": "check resource and audience",
    "invalid_request": "check redirect_uri, scope and params",
    "unauthorized_client": "let the client use the authorization code flow at the provider",
    "unsupported_response_type": "let the client use the authorization code flow at the provider",
}
_PASSING: Final = frozenset({"server_error", "temporarily_unavailable"})


class ForeignRedirectError(TokenRequestError):
    """Not the answer to our request: whoever sent it, the login goes on waiting for the right one.

    So a web page that calls the listener learns nothing and ends nothing.
    """

    def __init__(self, message: str) -> None:
        super().__init__(message, failure=Failure.TERMINAL, reason="state")


def code_in(query: str, asked: AuthorizationRequest) -> Secret:
    """The authorization code in a redirect's query.

    Raises:
        ForeignRedirectError: its ``state`` is not ours; nothing else in it was looked at.
        TokenRequestError: the provider says no (``failure`` tells whether for now), it is another
            provider's answer, or it holds no code.
    """
    said = _fields(query, asked)
    _check_issuer(said.get("iss"), asked)
    if "error" in said:
        raise _refused(said, asked)
    code = said.get("code", "")
    if not _CODE.fullmatch(code):
        raise _useless("holds no code")
    return Secret(code)


def pasted(text: str, asked: AuthorizationRequest, *, bare: bool) -> Secret:
    """The code in what a person copied: the whole address, its query or, with ``bare``, the code.

    Raises:
        ForeignRedirectError: it is of another login, or no address where one is wanted.
        TokenRequestError: as with ``code_in``.
    """
    text = text.strip().strip("<>\"'")
    if not text or len(text) > LONGEST:
        raise ForeignRedirectError(
            "that is empty or too long; paste the whole address that the browser ended at"
        )
    if _URL.match(text) or _QUERY.search(text):
        before, mark, after = text.partition("?")
        return code_in((after if mark else before).partition("#")[0], asked)
    if bare and _CODE.fullmatch(text):
        return Secret(text)
    raise ForeignRedirectError(
        "that is no address; paste the whole one that the browser ended at,"
        f" it begins with {asked.redirect_uri.partition('?')[0]}"
    )


def is_answer(query: str, asked: AuthorizationRequest) -> bool:
    """Whether a redirect's query bears the request's ``state``, once."""
    states = [value for name, value in _pairs(query) if name == "state"]
    return len(states) == 1 and same(states[0], asked.state.reveal())


def _pairs(query: str) -> list[tuple[str, str]]:
    try:
        return parse_qsl(query, keep_blank_values=True, max_num_fields=MOST_FIELDS)
    except ValueError:
        return []


def _fields(query: str, asked: AuthorizationRequest) -> Mapping[str, str]:
    if not is_answer(query, asked):
        raise ForeignRedirectError(
            "this is not the answer to the login that waits here: its state is another one, or"
            " missing; use the address that this login showed, and what came of it"
        )
    said = [(name, value) for name, value in _pairs(query) if name in _ANSWERED]
    if len(said) != len({name for name, _ in said}):
        raise _useless("says something twice, which RFC 6749 forbids")
    return dict(said)


def _check_issuer(said: str | None, asked: AuthorizationRequest) -> None:
    """RFC 9207 section 2.4: another provider's answer may carry another person's code."""
    if asked.issuer is None or (said is None and not asked.names_itself):
        return
    if said is None or not same(said, asked.issuer):
        told = "does not say whose it is" if said is None else "is another provider's"
        raise TokenRequestError(
            f"the answer {told} (RFC 9207), and {origin(asked.issuer)} was asked: nothing of it was"
            " used; if nobody tampered with it, check issuer",
            failure=Failure.TERMINAL,
            reason="issuer",
        )


def _refused(said: Mapping[str, str], asked: AuthorizationRequest) -> TokenRequestError:
    secrets = (asked.state, asked.verifier)
    code = error_code(said["error"], secrets) or "an error without a name"
    told = description(said.get("error_description"), secrets)
    passing = code in _PASSING
    advice = "try again later" if passing else _ADVICE.get(code, "log in again")
    return TokenRequestError(
        f"the provider did not let you in: {code}{f' ({told})' if told else ''}; {advice}",
        failure=Failure.TRANSIENT if passing else Failure.TERMINAL,
        reason="denied" if code == "access_denied" else "authorization",
        error=code,
    )


def _useless(what: str) -> TokenRequestError:
    return TokenRequestError(
        f"the provider's answer {what}; log in again, and if that does not help, check that"
        " authorize_url is the provider's",
        failure=Failure.TERMINAL,
        reason="authorization",
    )
