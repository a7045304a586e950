"""What has to be known for each preset and each grant, and how a person is asked for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import urlsplit

from proxy.draft.asking import Asker, Question
from proxy.draft.draft import Draft
from proxy.secret import Secret

_ENDPOINTS: Final = ("token_url", "issuer", "login_url")
_ID: Final = Question("client_id", "the client id")
_SECRET: Final = Question("client_secret", "the client secret")
_MAYBE_SECRET: Final = replace(_SECRET, words="the client secret, if any", optional=True)
_USER: Final = Question("username", "the user name")
_MAYBE_USER: Final = replace(_USER, words="the user name, if a person logs in", optional=True)
_PASSWORD: Final = Question("password", "the password")
_PAGE: Final = Question("url", "the page that leads to the login")
_HOST: Final = Question("host", "the host name")

_PRESETS: Final[dict[str, tuple[Question, ...]]] = {
    "wallaroo": (
        Question("suffix", "the domain suffix, such as wallaroo.dev"),
        Question("prefix", "the domain prefix, if any", optional=True),
        _SECRET,
        replace(_MAYBE_USER, words="the user name, for the MLOps API alone"),
    ),
    "seldon": (_HOST, _MAYBE_SECRET, _MAYBE_USER),
    "seldon-session": (_PAGE, _USER, _PASSWORD),
    "kubeflow": (_PAGE, _USER, _PASSWORD),
    "runai": (
        Question("host", "the host name", default="app.run.ai"),
        Question("realm", "the realm"),
        _ID,
        _SECRET,
    ),
    "runai-api": (_HOST, _ID, _SECRET),
    "eggplant": (
        Question("credentials_file", "the downloaded .csv or .ini file, if any", optional=True),
    ),
}
_GRANTS: Final[dict[str, tuple[Question, ...]]] = {
    "client_credentials": (_ID, _SECRET),
    "password": (_ID, _MAYBE_SECRET, _USER, _PASSWORD),
    "refresh_token": (_ID, _MAYBE_SECRET, Question("refresh_token", "the first refresh token")),
    "authorization_code": (_ID, _MAYBE_SECRET),
    "device_code": (_ID, _MAYBE_SECRET),
    "token_exchange": (
        _ID,
        _MAYBE_SECRET,
        Question("subject", "the file of the token to exchange"),
    ),
    "jwt_bearer": (_ID, _MAYBE_SECRET),
    "session": (_PAGE, _USER, _PASSWORD),
    "static": (Question("token", "the token"),),
}
_PROOFS: Final[dict[str, tuple[Question, ...]]] = {
    "private_key_jwt": (Question("private_key", "the private key's file"),),
    "federated": (Question("assertion", "the assertion's file"),),
    "tls": (),
    "none": (),
}
_EGGPLANT: Final = (Question("login_url", "the login page's address"), _ID, _SECRET)


def complete(draft: Draft, asker: Asker, variables: Callable[[str], str] | None = None) -> Draft:
    """``draft`` with everything that its preset, or its grant, needs.

    Args:
        draft: what is known.
        asker: who is asked for the rest.
        variables: where secrets are not to be kept: the environment variable for a key.

    Raises:
        DraftError: something is missing, and nobody answers.
    """
    for question in _questions(draft):
        draft = _asked(draft, question, asker, variables)
    if draft.keys.get("preset") == "eggplant" and not draft.has("credentials_file"):
        for question in _EGGPLANT:
            draft = _asked(draft, question, asker, variables)
    if draft.has("username"):
        draft = _asked(draft, _PASSWORD, asker, variables)
    if draft.upstream is None:
        asked = Question("upstream", "the API's address", default=_usual_upstream(draft))
        draft = replace(draft, upstream=asker.answer(asked))
    return draft


def _asked(
    draft: Draft, question: Question, asker: Asker, variables: Callable[[str], str] | None
) -> Draft:
    if draft.has(question.key):
        return draft
    if question.hidden and variables:
        if question.optional:
            return draft
        return draft.hiding(question.key, {"env": variables(question.key)})
    answer = asker.answer(question)
    if not answer:
        return draft
    if question.secret:
        return draft.hiding(question.key, Secret(answer) if question.hidden else {"file": answer})
    return draft.having(question.key, answer)


def _questions(draft: Draft) -> Iterator[Question]:
    preset = draft.keys.get("preset")
    if preset is not None:
        yield from _PRESETS.get(str(preset), ())
        return
    if draft.grant not in ("static", "session") and not _has_endpoint(draft):
        yield Question("issuer", "the issuer's address")
    proof = _PROOFS.get(str(draft.keys.get("client_auth", "")))
    for question in _GRANTS.get(draft.grant, ()):
        if proof is None or question.key != "client_secret":
            yield question
    yield from proof or ()


def _has_endpoint(draft: Draft) -> bool:
    return any(map(draft.has, (*_ENDPOINTS, "credentials_file")))


def _usual_upstream(draft: Draft) -> str | None:
    """Where the preset's API usually is."""
    keys = {name: str(value) for name, value in draft.keys.items()}
    match keys.get("preset"):
        case "wallaroo" if "suffix" in keys:
            prefix = f"{keys['prefix']}." if "prefix" in keys else ""
            return f"https://{prefix}api.{keys['suffix']}/"
        case "seldon" | "runai" | "runai-api" if "host" in keys:
            return keys["host"] if "://" in keys["host"] else f"https://{keys['host']}/"
        case "kubeflow" | "seldon-session":
            parts = urlsplit(keys["url"])
            return f"{parts.scheme}://{parts.netloc}/"
        case _:
            return None
