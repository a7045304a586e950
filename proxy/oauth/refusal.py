"""Turns an answer that is no token into what to do about it: RFC 6749 section 5.2, RFC 9110.

One pure function from status, headers and ``error`` to a ``TokenRequestError``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from proxy.errors import Failure, TokenRequestError
from proxy.message import Answer
from proxy.oauth import lifetime
from proxy.oauth.circumstances import Circumstances
from proxy.oauth.dates import http_date
from proxy.oauth.text import description, error_code

CLIENT_REFUSED: Final = frozenset({"invalid_client", "unauthorized_client"})
TERMINAL: Final = CLIENT_REFUSED | {"invalid_scope", "unsupported_grant_type", "invalid_grant"}
LONGEST_RETRY_AFTER: Final = 300.0

_KNOWN: Final = TERMINAL | {
    "invalid_request",
    "invalid_target",
    "server_error",
    "temporarily_unavailable",
}
_HINTS: Final = {
    "invalid_client": "check client_id, client_secret and client_auth",
    "unauthorized_client": "check client_secret, and that the client may use this grant",
    "invalid_grant": "what was presented has ended, was used before, or is not this client's",
    "invalid_scope": "check scope",
    "unsupported_grant_type": "check grant",
    "invalid_target": "check audience and resource",
}
_PERSON: Final = "check the user name and the password"
_KEY: Final = "check client_id, client_auth and the key that signs, and which one the provider has"
_SIGNED_HINTS: Final = _HINTS | dict.fromkeys(CLIENT_REFUSED, _KEY)
"""Where an assertion was signed here, by the client's secret or a key of its own."""


def refusal(answer: Answer, content: Mapping[str, Any], about: Circumstances) -> TokenRequestError:
    """What an answer without a token means; ``content`` is its JSON object or empty."""
    code = error_code(content.get("error"), about.secrets)
    failure, retry_after = _judge(answer, code, about)
    return TokenRequestError(
        _message(answer, code, description(content.get("error_description"), about.secrets), about),
        failure=failure,
        reason=code if code in _KNOWN and _speaks_oauth(answer) else _label(answer),
        error=code,
        retry_after=retry_after,
        unattended=not (about.password and _refuses(answer, code)),
    )


def redirect(answer: Answer, where: str) -> TokenRequestError:
    """A token endpoint that points elsewhere: a secret is never carried after it."""
    return TokenRequestError(
        f"{where} answered {answer.status}, a redirect, which is not followed with a secret in"
        " hand; set token_url to the address that answers itself",
        failure=Failure.TRANSIENT,
        reason="redirect",
    )


def _judge(answer: Answer, code: str | None, about: Circumstances) -> tuple[Failure, float | None]:
    status = answer.status
    wait = _retry_after(answer) if status in {429, 503} else None
    if wait is not None:
        return Failure.RETRY_AFTER, wait
    if code in TERMINAL and _speaks_oauth(answer):
        if code in CLIENT_REFUSED and about.rotating and not about.password:
            return Failure.TRANSIENT, None
        return Failure.TERMINAL, None
    if 400 <= status < 500:
        return Failure.SLOW, None
    return Failure.TRANSIENT, None


def _speaks_oauth(answer: Answer) -> bool:
    """Whether the ``error`` decides: section 5.2's statuses, and success that is none."""
    return answer.status < 300 or answer.status in {400, 401}


def _refuses(answer: Answer, code: str | None) -> bool:
    """Whether this may be the answer to a wrong password, so that repeating it locks accounts."""
    return _speaks_oauth(answer) and (code in TERMINAL or answer.status == 401)


def _retry_after(answer: Answer) -> float | None:
    """Seconds by RFC 9110 section 10.2.3, or None where the field says nothing usable."""
    text = answer.headers.get("retry-after", "").strip()
    seconds = float(text[:10]) if text.isascii() and text.isdigit() else _until(text, answer)
    return min(seconds, LONGEST_RETRY_AFTER) if seconds > 0 else None


def _until(text: str, answer: Answer) -> float:
    moment = http_date(text)
    now = http_date(answer.headers.get("date", ""))
    if moment is None:
        return 0.0
    return moment - (answer.received.wall if now is None else now)


def _label(answer: Answer) -> str:
    return "error_in_200" if answer.status < 300 else f"http_{answer.status}"


def _message(answer: Answer, code: str | None, told: str, about: Circumstances) -> str:
    said = f"{code} ({told})" if code and told else code or told
    message = f"{about.where} answered {answer.status}" + (f": {said}" if said else "")
    hint = _clocks_apart(answer) if about.signed and code else None
    if code == "invalid_grant" and about.password:
        hint = hint or _PERSON
    hint = hint or (_SIGNED_HINTS if about.signed else _HINTS).get(code or "")
    return f"{message}; {hint}" if hint else message


def _clocks_apart(answer: Answer) -> str | None:
    """Why an assertion may be refused that is signed well: RFC 7523 section 3, rules 4 to 6."""
    ahead = lifetime.skew(answer)
    if abs(ahead) <= lifetime.REPORTED_SKEW:
        return None
    side = "ahead of" if ahead > 0 else "behind"
    return (
        f"its clock is {abs(ahead):.0f} s {side} ours, and what we sign is judged by it: set the"
        " clock that is wrong"
    )
