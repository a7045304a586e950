"""A draft from oauth2-proxy's flags, environment variables or configuration file, where it maps."""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Final

from proxy.draft.draft import Draft
from proxy.errors import DraftError
from proxy.secret import Secret

_FLAG: Final = re.compile(r"--?([a-z][a-z0-9-]*)(?:=(.*))?", re.DOTALL)
_ENVIRONMENT: Final = re.compile(r"(?:export +|- +)?OAUTH2_PROXY_([A-Z0-9_]+) *[=:] *(.*)")
_KEYS: Final = {
    "oidc-issuer-url": "issuer",
    "client-id": "client_id",
    "scope": "scope",
    "login-url": "authorize_url",
    "redeem-url": "token_url",
    "oidc-jwks-url": "jwks_url",
    "resource": "resource",
}
_ISSUERS: Final = {"google": "https://accounts.google.com"}
_SILENT: Final = (
    *("provider", "skip-oidc-discovery", "code-challenge-method", "skip-provider-button"),
    *("http-address", "https-address", "email-domain", "email-domains"),
)
_FILES: Final = {"provider-ca-files", "provider-ca-file"}

Values = Mapping[str, tuple[str, ...]]


def from_oauth2_proxy(text: str) -> Draft:
    """The draft that oauth2-proxy's settings mean: a person's login.

    Raises:
        DraftError: there is no setting in it that is oauth2-proxy's.
    """
    values = _values(text)
    if not ({"oidc-issuer-url", "client-id", "provider", "redeem-url"} & set(values)):
        raise DraftError(
            "there is no setting of oauth2-proxy in it: neither oidc-issuer-url nor client-id, "
            "as flags, as its configuration file or as OAUTH2_PROXY_… variables"
        )
    draft = Draft()
    for name, key in _KEYS.items():
        if name in values:
            draft = draft.having(key, values[name][0])
    provider = values.get("provider", ("",))[0]
    if provider in _ISSUERS and not draft.has("issuer"):
        draft = draft.having("issuer", _ISSUERS[provider])
    draft = draft.having("grant", "authorization_code")
    for add in (_with_secret, _with_tls, _with_upstream, _with_notes):
        draft = add(draft, values)
    return draft


def _with_secret(draft: Draft, values: Values) -> Draft:
    if "client-secret" in values:
        return draft.hiding("client_secret", Secret(values["client-secret"][0]))
    if "client-secret-file" in values:
        return draft.hiding("client_secret", {"file": values["client-secret-file"][0]})
    return draft


def _with_tls(draft: Draft, values: Values) -> Draft:
    files = [path for name in _FILES for path in values.get(name, ())]
    if files:
        draft = draft.having("tls", {"ca_file": files[0]})
        if files[1:]:
            draft = draft.noting("tls.ca_file takes one file: put all CA certificates into it")
    elif values.get("ssl-insecure-skip-verify", ("false",))[0] in ("true", ""):
        draft = draft.having("tls", {"verify": False})
    return draft


def _with_upstream(draft: Draft, values: Values) -> Draft:
    found = values.get("upstream", ()) + values.get("upstreams", ())
    here = [one for one in found if one.startswith(("http://", "https://"))]
    if found[1:] or len(here) < len(found):
        draft = draft.noting("only the first upstream by http became a route: add the others")
    return replace(draft, upstream=here[0]) if here else draft


def _with_notes(draft: Draft, values: Values) -> Draft:
    """Names alone: among the values are secrets."""
    used = {*_KEYS, *_FILES, *_SILENT, "client-secret", "client-secret-file"}
    used |= {"upstream", "upstreams", "ssl-insecure-skip-verify"}
    left = sorted(set(values) - used)
    return draft.noting(f"no place here: {', '.join(left)}") if left else draft


def _values(text: str) -> Values:
    for read in (_environment, _file, _flags):
        found: dict[str, tuple[str, ...]] = {}
        for name, value in _attempt(read, text):
            found[name] = (*found.get(name, ()), value)
        if found:
            return found
    return {}


def _attempt(read: Callable[[str], Iterator[tuple[str, str]]], text: str) -> list[tuple[str, str]]:
    try:
        return list(read(text))
    except ValueError:
        return []


def _environment(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        if found := _ENVIRONMENT.fullmatch(line.strip()):
            name = found[1].lower().replace("_", "-")
            yield name, found[2].strip().strip("\"'")


def _file(text: str) -> Iterator[tuple[str, str]]:
    for name, value in tomllib.loads(text).items():
        for one in value if isinstance(value, list) else [value]:
            shown = str(one).lower() if isinstance(one, bool) else str(one)
            yield name.replace("_", "-"), shown


def _flags(text: str) -> Iterator[tuple[str, str]]:
    """A command line, or the ``args`` of a manifest, one a line."""
    words = [word for word in shlex.split(re.sub(r"\\\r?\n", " ", text)) if word != "-"]
    for index, word in enumerate(words):
        if found := _FLAG.fullmatch(word):
            following = words[index + 1] if index + 1 < len(words) else "-"
            spaced = found[2] is None and not following.startswith("-")
            yield found[1], following if spaced else found[2] or ""
