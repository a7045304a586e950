"""Resolves providers: their own keys, and what a credential takes from the one it names."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from proxy.config.credential_keys import CredentialKeys
from proxy.config.file_keys import FileKeys
from proxy.config.keys import ProviderKeys
from proxy.config.model import Provider, Tls
from proxy.config.presets import ENDPOINTS, has_endpoint
from proxy.config.report import Report, Section, suggestion
from proxy.config.shared import egress, refuse_plain_http, tls, warn_insecure, warn_proxy_password
from proxy.config.surroundings import Surroundings

_LOGIN: Final = re.compile(r"(.*)/auth(?=[/?#]|$)")

_FURTHER: Final = ("authorize_url", "device_url", "revocation_url", "jwks_url")
"""Endpoints that one grant or another has besides the token endpoint."""


def token_url_of(login_url: str) -> str | None:
    """The token endpoint beside a login page: the last ``/auth`` and all behind it replaced.

    Only a whole path segment counts. None where there is none.
    """
    parts = urlsplit(login_url)
    found = _LOGIN.match(parts.path)
    return f"{parts.scheme}://{parts.netloc}{found[1]}/token" if found else None


def authorize_url_of(login_url: str) -> str:
    """The authorization endpoint that a login page's address names, without its query."""
    parts = urlsplit(login_url)
    return f"{parts.scheme}://{parts.netloc}{parts.path}"


def check_provider(keys: ProviderKeys, section: Section, *, allow_insecure: bool) -> None:
    """Report what is wrong, or should not stay, among a provider's keys."""
    if keys.login_url and (keys.token_url or keys.issuer):
        section.unfit("login_url", "`login_url` stands beside another endpoint: keep one")
    elif keys.login_url and token_url_of(keys.login_url) is None:
        section.wrong("login_url", "`login_url` must have a path with /auth in it")
    for name in (*ENDPOINTS, *_FURTHER):
        if address := getattr(keys, name):
            refuse_plain_http(name, address, section, allowed=allow_insecure)
    if keys.issuer and "?" in keys.issuer:
        section.wrong("issuer", "`issuer` must be a URL without ?")
    warn_proxy_password(keys.proxy, section)
    warn_insecure(section, allowed=keys.allow_insecure)


class Providers:
    """The file's providers, each checked once."""

    def __init__(self, file: FileKeys, report: Report, around: Surroundings) -> None:
        self._keys = file.providers
        self._report = report
        self._tls: dict[str, Tls] = {}
        for name, keys in file.providers.items():
            section = report.section("providers", name)
            check_provider(keys, section, allow_insecure=keys.allow_insecure)
            self._tls[name] = tls(keys.tls, section, around)

    def merged(self, keys: CredentialKeys, section: Section) -> CredentialKeys:
        """``keys`` with whatever its provider adds; an endpoint of its own takes precedence."""
        if keys.provider is None:
            return keys
        shared = self._keys.get(keys.provider)
        if shared is None:
            self._dangling(keys.provider, section)
            return keys
        own, others = has_endpoint(keys, section), (*ENDPOINTS, *_FURTHER)
        names = [name for name in shared.model_fields_set if name not in keys.model_fields_set]
        for name in ENDPOINTS:
            if self._report.spoiled(("providers", keys.provider, name)):
                self._report.spoil((*section.trail, name))
        return keys.model_copy(
            update={n: getattr(shared, n) for n in names if not (own and n in others)}
        )

    def _dangling(self, name: str, section: Section) -> None:
        if not self._report.spoiled(("providers", name)):
            hint = suggestion(name, self._keys)
            section.wrong("provider", f"`provider` names `{name}`, which is not in providers{hint}")
        for key in ENDPOINTS:
            self._report.spoil((*section.trail, key))

    def tls(self, keys: CredentialKeys, section: Section, around: Surroundings) -> Tls:
        """The TLS settings that ``keys``, as written, end up with."""
        if keys.tls is None and keys.provider in self._tls:
            return self._tls[keys.provider]
        return tls(keys.tls, section, around)


def provider(keys: ProviderKeys, tls_settings: Tls) -> Provider:
    """The provider that complete keys describe."""
    login = keys.login_url
    return Provider(
        token_url=keys.token_url or (token_url_of(login) if login else None),
        issuer=keys.issuer,
        authorize_url=keys.authorize_url or (authorize_url_of(login) if login else None),
        device_url=keys.device_url,
        revocation_url=keys.revocation_url,
        jwks_url=keys.jwks_url,
        json_names=keys.request,
        tls=tls_settings,
        egress=egress(keys.proxy),
        allow_insecure=keys.allow_insecure,
    )
