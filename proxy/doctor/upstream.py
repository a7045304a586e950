"""Whether an API takes the token: asked once as the sidecar would, then in ways that tell why not.

Sends HEAD, and GET where that is not answered; 401 says that it does not know who asks, 403 that
it knows and says no (RFC 9110 sections 15.5.2 and 15.5.4).
"""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Final

from proxy.config.model import Route
from proxy.doctor.finding import Finding, Kind, bad, good, note
from proxy.errors import TokenRequestError
from proxy.idp.endpoint import Sender
from proxy.message import Answer, Request
from proxy.oauth import jwt
from proxy.oauth.text import description
from proxy.tokens.token import Token

STEP: Final = "API takes it"
_NOT_SO: Final = frozenset({405, 501})
_NO: Final = frozenset({401, 403})
_AUDIENCE: Final = re.compile(rb"audience|\baud\b", re.IGNORECASE)
_SCOPE: Final = re.compile(rb"insufficient_scope|scope", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Api:
    """A route's upstream, and who asks it."""

    subject: str
    route: Route
    sender: Sender

    async def ask(self, value: str | None, scheme: str | None = None) -> Answer:
        """The answer to a request with this token; None sends none.

        Raises:
            TokenRequestError: none came.
        """
        headers = {} if value is None else {self.route.header: _field(self._scheme(scheme), value)}
        return await self.send(headers)

    async def send(self, headers: Mapping[str, str]) -> Answer:
        """The answer to HEAD, or to GET where that is not known or something is to be read."""
        answer = await self.sender.send(Request("HEAD", url(self.route), headers))
        if answer.status in _NOT_SO | _NO:
            return await self.sender.send(Request("GET", url(self.route), headers))
        return answer

    def _scheme(self, scheme: str | None) -> str:
        return self.route.scheme if scheme is None else scheme


def url(route: Route) -> str:
    """Where a route leads."""
    scheme = "https" if route.upstream.secure else "http"
    return f"{scheme}://{route.upstream.authority}{route.upstream.path}"


async def examine(api: Api, token: Token, others: Mapping[str, str]) -> AsyncIterator[Finding]:
    """One finding about the token, perhaps one about requests without any."""
    value = token.value.reveal()
    try:
        if token.session is not None:
            answer = await api.send({"Cookie": value})
        else:
            answer = await api.ask(value)
        bare = await api.ask(None)
    except TokenRequestError as error:
        yield bad(api.subject, STEP, Kind.UNREACHABLE, error.reason, str(error))
        return
    if answer.status in _NO:
        yield await _why(api, token, others, answer)
    elif _is_login(answer):
        yield _sent_to_login(api, token)
    elif answer.status >= 500:
        said = f"the API answers {answer.status}: it fails by itself"
        advice = "look at the API's own log; the token may be fine"
        yield bad(api.subject, STEP, Kind.UNREACHABLE, "api_fault", said, advice)
    else:
        yield _taken(api, answer, bare)


def _taken(api: Api, answer: Answer, bare: Answer) -> Finding:
    if bare.status in _NO or _is_login(bare):
        told = f"yes: {answer.status} with it, {bare.status} without"
        return good(api.subject, STEP, told)
    return note(
        api.subject,
        STEP,
        f"the API answers {answer.status} with it and {bare.status} without any token: it is not"
        " protected here, or decides about other paths and methods",
        "if it should be protected, see to that; else check the upstream's path",
        "not_protected",
    )


async def _why(api: Api, token: Token, others: Mapping[str, str], answer: Answer) -> Finding:
    """The cause of a 401 or 403, by what would have been taken."""
    said = f"the API answers {answer.status} to the {token.field}"
    if token.session is None:
        for field, value in others.items():
            if await _takes(api, value):
                return _wrong(
                    api,
                    "wrong_field",
                    f"{said}, but takes the {field}",
                    f"set use: {field} in the credential",
                )
        other = "Bearer" if api.route.scheme == "" else ""
        if await _takes(api, token.value.reveal(), other):
            shown = other or "''"
            return _wrong(
                api,
                "missing_bearer" if other else "unwanted_bearer",
                f"{said}, but takes it {'with' if other else 'without'} Bearer before it",
                f"set scheme: {shown} in the route",
            )
    return _refused(api, token, answer, said)


async def _takes(api: Api, value: str, scheme: str | None = None) -> bool:
    try:
        answer = await api.ask(value, scheme)
    except TokenRequestError:
        return False
    return answer.status < 500 and answer.status not in _NO and not _is_login(answer)


def _refused(api: Api, token: Token, answer: Answer, said: str) -> Finding:
    challenge = answer.headers.get("www-authenticate", "").encode()
    words = challenge + answer.body[:4096]
    if _AUDIENCE.search(words):
        told = f"{said}: it is not for this API (its audience is {_audience(token)})"
        advice = (
            "have the provider put the API's name into the token's aud (Keycloak: an audience"
            " mapper in a client scope), or set audience or scope as the API's documentation says"
        )
        return _wrong(api, "wrong_audience", told, advice)
    if answer.status == 403:
        if _SCOPE.search(words):
            told = f"{said}: it knows the token, but misses a scope in it"
            return _wrong(api, "scope_missing", told, "set scope to what the API asks for")
        told = f"{said}: it knows who asks and does not allow it"
        advice = "give this client or user the role that the API asks for"
        return _wrong(api, "not_allowed", told, advice)
    advice = (
        "see that the API trusts this issuer and audience, and which field and header it reads;"
        f" the token's audience is {_audience(token)}"
    )
    return _wrong(api, "token_rejected", f"{said}: it does not believe the token", advice)


def _sent_to_login(api: Api, token: Token) -> Finding:
    if token.session is not None:
        told = "the API sends us to the login in spite of the session"
        return _wrong(api, "session_rejected", told, "check cookies: and the upstream's host")
    told = "the API sends us to a login page: it wants a browser's session and no token"
    advice = "use grant: session (presets kubeflow and seldon-session), or the API's token address"
    return _wrong(api, "session_wanted", told, advice)


def _is_login(answer: Answer) -> bool:
    return answer.status in {302, 303, 307} and bool(
        re.search(r"/auth|/login|/oauth2|/dex|sign_?in", answer.headers.get("location", ""))
    )


def _audience(token: Token) -> str:
    said = (jwt.claims(token.value.reveal()) or {}).get("aud")
    listed = said if isinstance(said, list) else [said]
    return ", ".join(description(one)[:80] for one in listed[:5] if one) or "not in it"


def _field(scheme: str, value: str) -> str:
    return f"{scheme} {value}" if scheme else value


def _wrong(api: Api, cause: str, told: str, advice: str) -> Finding:
    return bad(api.subject, STEP, Kind.REFUSED, cause, told, advice)
