"""Resolves credentials: provider, file and preset filled in, then judged as a whole."""

from __future__ import annotations

import re
from typing import Final

from proxy.config import presets
from proxy.config.borrowing import check_borrowing
from proxy.config.combinations import check_combination
from proxy.config.complete import Completing
from proxy.config.credential_keys import CredentialKeys
from proxy.config.downloaded import with_file
from proxy.config.file_keys import FileKeys
from proxy.config.model import BY_PERSON, Credential, Grant
from proxy.config.providers import Providers, check_provider, provider
from proxy.config.report import Report, Section
from proxy.config.shared import check_clients, refuse_plain_http
from proxy.config.surroundings import Surroundings

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
    found = {
        name: _resolved(name, keys, report.section("credentials", name), providers, around)
        for name, keys in file.credentials.items()
    }
    for name, keys in file.credentials.items():
        check_clients(keys.clients, file.clients, report.section("credentials", name))
    check_borrowing(found, report)
    if file.store is None and not report.spoiled(("store",)):
        _refuse_forgetting(found, report)
    return found


def _resolved(
    name: str, written: CredentialKeys, section: Section, providers: Providers, around: Surroundings
) -> Credential:
    keys = providers.merged(written, section)
    check_provider(written, section, allow_insecure=keys.allow_insecure)
    keys = presets.fill(with_file(keys, section, around), section)
    if keys.preset and not _has_own_address(written):
        _refuse_plain_host(keys, section)
    if keys.url:
        refuse_plain_http("url", keys.url, section, allowed=keys.allow_insecure)
    check_combination(written, keys, section)
    settings = providers.tls(written, section, around)
    where = None if keys.grant == Grant.STATIC else provider(keys, settings)
    return Completing(keys, section, around).credential(name, where)


def _has_own_address(written: CredentialKeys) -> bool:
    """Whether the provider's address is the user's own, and no preset's."""
    return bool(written.issuer or written.token_url or written.provider)


def _refuse_plain_host(keys: CredentialKeys, section: Section) -> None:
    if keys.host and (address := keys.issuer or keys.token_url):
        refuse_plain_http("host", address, section, allowed=keys.allow_insecure)


def _refuse_forgetting(credentials: dict[str, Credential], report: Report) -> None:
    for credential in credentials.values():
        section = report.section("credentials", credential.name)
        if credential.grant in BY_PERSON and not section.spoiled("grant"):
            report.problem(
                credential.at,
                f"grant {credential.grant} keeps a person's login in the store, and memory forgets "
                "it when the process ends: set `store: {file: …}`, or `store: file`",
            )
