"""What a downloaded credentials file adds to a credential's keys, where they are not given."""

from __future__ import annotations

from proxy.config import credentials_file
from proxy.config.addresses import url
from proxy.config.credential_keys import CredentialKeys
from proxy.config.presets import has_endpoint
from proxy.config.report import Section
from proxy.config.scalars import UnfitError
from proxy.config.secret_keys import Written
from proxy.config.shared import refuse_plain_http
from proxy.config.surroundings import Surroundings, unreadable


def with_file(keys: CredentialKeys, section: Section, around: Surroundings) -> CredentialKeys:
    """``keys`` with what their ``credentials_file`` holds; what is wrong with it is reported."""
    if keys.credentials_file is None:
        return keys
    path = around.path(keys.credentials_file)
    fault = unreadable(path)
    try:
        found = None if fault else credentials_file.read(path)
    except UnfitError as error:
        found, fault = None, str(error)
    if found is None:
        _broken(str(fault), section)
        return keys
    update: dict[str, object] = {}
    if found.client_id and "client_id" not in keys.model_fields_set:
        update["client_id"] = found.client_id
    if found.client_secret and "client_secret" not in keys.model_fields_set:
        update["client_secret"] = Written("credentials_file", keys.credentials_file)
    if found.token_url and not has_endpoint(keys, section):
        update |= _token_url(found.token_url, keys, section)
    return keys.model_copy(update=update)


def _broken(fault: str, section: Section) -> None:
    section.wrong("credentials_file", f"`credentials_file` {fault}")
    for key in ("client_id", "client_secret", "issuer"):
        section.report.spoil((*section.trail, key))


def _token_url(address: str, keys: CredentialKeys, section: Section) -> dict[str, object]:
    try:
        url(address)
    except ValueError as error:
        section.wrong("credentials_file", f"`credentials_file` has a token_url that {error}")
        section.report.spoil((*section.trail, "token_url"))
        return {}
    refuse_plain_http("credentials_file", address, section, allowed=keys.allow_insecure)
    return {"token_url": address}
