"""Resolves credentials: provider, file and preset filled in, then judged as a whole."""

from __future__ import annotations

import re
from typing import Final

from proxy.config import credentials_file, presets
from proxy.config.addresses import url
from proxy.config.combinations import check_combination
from proxy.config.credential_keys import CredentialKeys
from proxy.config.file_keys import FileKeys
from proxy.config.keys import RenewKeys
from proxy.config.kinds import Written
from proxy.config.model import (
    ClientAuthentication,
    Credential,
    Grant,
    Provider,
    Renew,
    SecretReference,
)
from proxy.config.providers import Providers, check_provider, provider
from proxy.config.report import Report, Section
from proxy.config.scalars import UnfitError
from proxy.config.shared import refuse_plain_http, secret
from proxy.config.surroundings import Surroundings, unreadable

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


def check_names(section: Section, names: object) -> None:
    """Names go into logs, metrics and messages: letters, digits, dot, dash, underscore."""
    for name in names if isinstance(names, dict) else ():
        if not _NAME.fullmatch(name) or name == "none":
            section.unfit(
                name, "a name is made of at most 64 letters, digits, `.`, `-`, `_`, and not `none`"
            )


def resolve(file: FileKeys, report: Report, around: Surroundings) -> dict[str, Credential]:
    """The file's credentials by name; mistakes go to ``report``."""
    providers = Providers(file, report, around)
    for kind in ("providers", "credentials", "clients"):
        check_names(report.section(kind), getattr(file, kind))
    return {
        name: _Resolving(name, keys, report.section("credentials", name), around).result(providers)
        for name, keys in file.credentials.items()
    }


class _Resolving:
    """One credential on its way from keys to values."""

    def __init__(
        self, name: str, keys: CredentialKeys, section: Section, around: Surroundings
    ) -> None:
        self._name = name
        self._written = keys
        self._section = section
        self._around = around

    def result(self, providers: Providers) -> Credential:
        keys = providers.merged(self._written, self._section)
        check_provider(self._written, self._section, allow_insecure=keys.allow_insecure)
        keys = presets.fill(self._from_file(keys), self._section)
        if keys.preset and keys.issuer and not self._written.issuer and not self._written.provider:
            refuse_plain_http("host", keys.issuer, self._section, allowed=keys.allow_insecure)
        check_combination(self._written, keys, self._section)
        tls = providers.tls(self._written, self._section, self._around)
        return self._credential(keys, None if keys.grant == "static" else provider(keys, tls))

    def _from_file(self, keys: CredentialKeys) -> CredentialKeys:
        """``keys`` with what the credentials_file holds, where it is not given."""
        if keys.credentials_file is None:
            return keys
        path = self._around.path(keys.credentials_file)
        fault = unreadable(path)
        try:
            found = None if fault else credentials_file.read(path)
        except UnfitError as error:
            found, fault = None, str(error)
        if found is None:
            self._broken_file(str(fault))
            return keys
        update: dict[str, object] = {}
        if found.client_id and "client_id" not in keys.model_fields_set:
            update["client_id"] = found.client_id
        if found.client_secret and "client_secret" not in keys.model_fields_set:
            update["client_secret"] = Written("credentials_file", keys.credentials_file)
        if found.token_url and not presets.has_endpoint(keys, self._section):
            update |= self._token_url(found.token_url, keys)
        return keys.model_copy(update=update)

    def _broken_file(self, fault: str) -> None:
        self._section.wrong("credentials_file", f"`credentials_file` {fault}")
        for key in ("client_id", "client_secret", "issuer"):
            self._section.report.spoil((*self._section.trail, key))

    def _token_url(self, address: str, keys: CredentialKeys) -> dict[str, object]:
        try:
            url(address)
        except ValueError as error:
            self._section.wrong(
                "credentials_file", f"`credentials_file` has a token_url that {error}"
            )
            self._section.report.spoil((*self._section.trail, "token_url"))
            return {}
        refuse_plain_http("credentials_file", address, self._section, allowed=keys.allow_insecure)
        return {"token_url": address}

    def _credential(self, keys: CredentialKeys, where: Provider | None) -> Credential:
        idle = keys.renew.idle if keys.renew else None
        return Credential(
            name=self._name,
            at=self._section.position,
            grant=Grant(keys.grant),
            provider=where,
            client_id=keys.client_id,
            client_secret=self._secret(keys, "client_secret"),
            client_auth=_client_auth(keys),
            username=keys.username,
            password=self._secret(keys, "password"),
            refresh_token=self._secret(keys, "refresh_token"),
            token=self._secret(keys, "token"),
            scope=keys.scope,
            audience=keys.audience or (),
            resource=keys.resource or (),
            params=keys.params or {},
            use=keys.use or ("access_token",),
            required=idle is None if keys.required is None else keys.required,
            renew=_renew(keys.renew),
        )

    def _secret(self, keys: CredentialKeys, key: str) -> SecretReference | None:
        return secret(getattr(keys, key), key, self._section, self._around)


def _client_auth(keys: CredentialKeys) -> ClientAuthentication:
    if keys.client_auth:
        return ClientAuthentication(keys.client_auth)
    return ClientAuthentication.BASIC if keys.client_secret else ClientAuthentication.NONE


def _renew(keys: RenewKeys | None) -> Renew:
    return Renew(**keys.model_dump()) if keys else Renew()
