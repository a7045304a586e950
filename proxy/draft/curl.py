"""A draft from pasted ``curl`` commands: the one that gets a token, the one that uses it."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Final
from urllib.parse import quote_plus, urlsplit

from proxy.draft.draft import Draft, Place
from proxy.draft.fields import Fields, body, is_token_request
from proxy.draft.shell import Curl, commands
from proxy.errors import DraftError
from proxy.secret import Secret

_VARIABLE: Final = re.compile(r"\$(?:\{([A-Za-z_][A-Za-z0-9_]*)\}|([A-Za-z_][A-Za-z0-9_]*))")
_GAP: Final = re.compile(r"<[^<>]*>|\.\.\.|…|\$\(.*|\$")
_URN: Final = "urn:ietf:params:oauth:grant-type:"
_GRANTS: Final = {
    "client_credentials": "client_credentials",
    "password": "password",
    "refresh_token": "refresh_token",
    "authorization_code": "authorization_code",
    f"{_URN}token-exchange": "token_exchange",
    f"{_URN}jwt-bearer": "jwt_bearer",
}
_KEYS: Final = {
    "subject_token_type": "subject_type",
    "actor_token_type": "actor_type",
    "requested_token_type": "requested_type",
    **{name: name for name in ("client_id", "username", "scope", "audience", "resource")},
}
_SECRETS: Final = {
    "subject_token": "subject",
    "actor_token": "actor",
    **{name: name for name in ("client_secret", "password", "refresh_token", "assertion")},
}
_ONCE: Final = ("grant_type", "code", "code_verifier", "client_assertion", "client_assertion_type")


def from_curl(text: str) -> Draft:
    """The draft that pasted commands mean.

    Raises:
        DraftError: there is no command in it, or none with a credential.
    """
    found = commands(text)
    asking = [one for one in found if is_token_request(one)]
    using = [one for one in found if not is_token_request(one)]
    draft = _request(asking[0]) if asking else Draft()
    draft = _use(draft, using[0], asked=bool(asking)) if using else draft
    ignored = len(found) - len(asking[:1]) - len(using[:1])
    if ignored:
        draft = draft.noting(f"{ignored} further curl commands were left out")
    if not asking and not draft.has("token"):
        raise DraftError(
            "no curl command in it asks for a token (grant_type, or client id and secret), "
            "and none sends one (Authorization: Bearer …)"
        )
    return draft


def _request(command: Curl) -> Draft:
    fields = body(command)
    address = _address(command.url)
    draft = Draft(keys={"token_url": address}) if address else Draft()
    draft = _with_grant(draft, fields)
    if fields.json_names is not None:
        draft = draft.having("request", {"json": fields.json_names})
        if any(name != name.lower() for name in fields.json_names.values()):
            draft = draft.having("use", "accessToken")
    for name, value in fields.values.items():
        draft = _with_field(draft, name, value)
    if user := _basic(command):
        draft = _with_basic(draft, user)
    elif "client_secret" in fields.values:
        draft = draft.having("client_auth", "post")
    return _with_connection(draft, command)


def _address(url: str) -> str | None:
    return None if _VARIABLE.search(url) or "<" in url else url


def _with_grant(draft: Draft, fields: Fields) -> Draft:
    written = fields.values.get("grant_type", "client_credentials")
    grant = _GRANTS.get(written)
    if grant is None:
        raise DraftError(
            "the grant_type in the curl command is none that can be imported; "
            f"known: {', '.join(_GRANTS)}"
        )
    if grant == "authorization_code":
        draft = draft.noting("a code is good once: `token-sidecar login` gets one anew")
    return draft if grant == "client_credentials" else draft.having("grant", grant)


def _with_field(draft: Draft, name: str, value: str) -> Draft:
    if name in _ONCE:
        if name == "client_assertion":
            return draft.having("client_auth", "private_key_jwt")
        return draft
    if name in _SECRETS:
        secret = _secret(value)
        return draft if secret is None else draft.hiding(_SECRETS[name], secret)
    if _VARIABLE.search(value) or _GAP.fullmatch(value):
        return draft.noting(f"{name} is a placeholder in the curl command")
    if name == "redirect_uri":
        return draft.having(name, value)
    return draft.having(_KEYS[name], value) if name in _KEYS else _with_param(draft, name, value)


def _with_param(draft: Draft, name: str, value: str) -> Draft:
    params = draft.keys.get("params")
    return draft.having("params", {**(params if isinstance(params, dict) else {}), name: value})


def _secret(value: str) -> Secret | Place | None:
    """A value to keep, or where it is; None for a gap that a person has to fill."""
    if found := _VARIABLE.fullmatch(value):
        return {"env": found[1] or found[2]}
    if value.startswith("@"):
        return {"file": value[1:]}
    return None if not value or _GAP.fullmatch(value) else Secret(value)


def _basic(command: Curl) -> str | None:
    if user := command.last("user"):
        return user
    for value in _header(command, "authorization"):
        scheme, _, credentials = value.partition(" ")
        if scheme.lower() == "basic" and not _VARIABLE.search(credentials):
            try:
                return base64.b64decode(credentials.strip(), validate=True).decode()
            except ValueError:
                raise DraftError("Authorization: Basic is followed by no Base64") from None
    return None


def _with_basic(draft: Draft, user: str) -> Draft:
    name, _, password = user.partition(":")
    secret = _secret(password)
    if _VARIABLE.search(name) or _GAP.fullmatch(name):
        draft = draft.noting("client_id is a placeholder in the curl command")
    else:
        draft = draft.having("client_id", name)
    if secret is None:
        return draft
    plain = not isinstance(secret, Secret) or quote_plus(secret.reveal()) == secret.reveal()
    if not (plain and quote_plus(name) == name):  # sent as it is by curl, encoded by RFC 6749
        draft = draft.having("client_auth", "basic_raw")
    return draft.hiding("client_secret", secret)


def _header(command: Curl, wanted: str) -> Iterator[str]:
    for _, line in command.all("header"):
        name, _, value = line.partition(":")
        if name.strip().lower() == wanted:
            yield value.strip()


def _with_connection(draft: Draft, command: Curl) -> Draft:
    if settings := _tls(command):
        draft = draft.having("tls", settings)
    if proxy := command.last("proxy"):
        draft = draft.having("proxy", proxy if "://" in proxy else f"http://{proxy}")
    return draft


def _tls(command: Curl) -> dict[str, object]:
    names = {"cacert": "ca_file", "cert": "cert_file", "key": "key_file"}
    settings: dict[str, object] = {
        key: value for name, key in names.items() if (value := command.last(name))
    }
    if command.last("insecure") is not None and "ca_file" not in settings:
        settings["verify"] = False
    return settings


def _use(draft: Draft, command: Curl, *, asked: bool) -> Draft:
    """What the command that calls the API says of the route."""
    parts = urlsplit(command.url)
    if address := _address(f"{parts.scheme}://{parts.netloc}/"):
        draft = replace(draft, upstream=address)
    if settings := _tls(command):
        draft = replace(draft, route={**draft.route, "tls": settings})
    for value in _header(command, "authorization"):
        scheme, _, token = value.rpartition(" ")
        if scheme.lower() not in ("", "bearer"):
            return draft.noting("the API's Authorization is no bearer token: it was left out")
        if not scheme:
            draft = replace(draft, route={**draft.route, "scheme": ""})
        if not asked and (secret := _secret(token)) is not None:
            draft = draft.having("grant", "static").hiding("token", secret)
    return draft
