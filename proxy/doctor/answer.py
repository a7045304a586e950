"""What a token endpoint's answer holds: names, types and claims, never a value that opens doors."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from proxy.config.model import Credential
from proxy.doctor.finding import Finding, Kind, bad, good, note
from proxy.message import Answer
from proxy.oauth import jwt
from proxy.oauth.body import parse
from proxy.oauth.text import description
from proxy.tokens.token import Token

STEP: Final = "answer"
TOKENS: Final = ("access_token", "id_token", "accessToken", "idToken", "token")
"""Fields that are worth trying as a credential."""
_MOST: Final = 12


def others(answer: Answer | None, used: str) -> dict[str, str]:
    """The other tokens of an answer, by field: one of them may be what the API wants."""
    content = _content(answer)
    found = {name: content.get(name) for name in TOKENS if name != used}
    return {
        name: one for name, one in found.items() if isinstance(one, str) and one and one.isascii()
    }


def describe(credential: Credential, token: Token, answer: Answer | None) -> Iterator[Finding]:
    """What came and what it says of itself."""
    content = _content(answer)
    yield good(credential.name, STEP, ", ".join(_facts(token, content)))
    for warning in token.warnings:
        yield note(credential.name, STEP, warning)


def missing(credential: Credential, answer: Answer | None) -> Finding:
    """The answer has none of the wanted fields: which ones would be there."""
    there = [name for name in others(answer, "") if name not in credential.use]
    advice = f"set use: {there[0]}" if there else "check that token_url is the token endpoint"
    if "id_token" in credential.use and "openid" not in (credential.scope or "").split():
        advice = f"set scope: openid, without which most send no id_token; or {advice}"
    wanted, fields = " or ".join(credential.use), _names(_content(answer)) or "nothing"
    return bad(
        credential.name,
        STEP,
        Kind.CONFIGURATION,
        "field_missing",
        f"the answer has no {wanted} (use); it has {fields}",
        advice,
    )


def _facts(token: Token, content: Mapping[str, Any]) -> Iterator[str]:
    value = token.value.reveal()
    claims = jwt.claims(value)
    if token.session is not None:
        cookies = ", ".join(description(name)[:40] for name in sorted(token.session.cookies))
        yield f"a session with the cookies {cookies}"
    else:
        yield f"{token.field} is {'a JWT' if claims is not None else 'no JWT'}"
    yield "does not end" if token.lifetime is None else f"lives {token.lifetime:.0f} s"
    if isinstance(content.get("token_type"), str):
        yield f"type {description(content['token_type'])[:40]}"
    for name, label in (("iss", "issuer"), ("aud", "audience"), ("azp", "client")):
        if (said := _claim((claims or {}).get(name))) is not None:
            yield f"{label} {said}"
    scope = content.get("scope", (claims or {}).get("scope"))
    if isinstance(scope, str) and scope:
        yield f"scope {description(scope)}"
    if content:
        yield f"fields {_names(content)}"


def _claim(value: object) -> str | None:
    if isinstance(value, list):
        return " and ".join(description(one)[:80] for one in value[:5])
    return description(value)[:120] if isinstance(value, str) else None


def _names(content: Mapping[str, Any]) -> str:
    return " ".join(description(name)[:40] for name in list(content)[:_MOST])


def _content(answer: Answer | None) -> Mapping[str, Any]:
    return (parse(answer.body) if answer is not None else None) or {}
