"""Resolves where Vault is and how we log in there; what stands in it is read elsewhere."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from proxy.config.file_keys import FileKeys
from proxy.config.model import (
    FileSecret,
    PlainSecret,
    SecretReference,
    Vault,
    VaultAppRole,
    VaultKubernetes,
    VaultToken,
)
from proxy.config.report import Report, Section
from proxy.config.secret_keys import Written
from proxy.config.shared import (
    egress,
    refuse_plain_http,
    secret,
    tls,
    warn_insecure,
    warn_proxy_password,
)
from proxy.config.surroundings import Surroundings
from proxy.config.vault_keys import VaultAppRoleKeys, VaultAuthKeys, VaultKubernetesKeys
from proxy.secret import Secret

_WAYS: Final = ("token", "kubernetes", "approle")


def resolve(file: FileKeys, report: Report, around: Surroundings) -> Vault | None:
    """The Vault that the file's secrets stand in, None where it names none."""
    keys = file.vault
    if keys is None:
        return None
    section = report.section("vault")
    login = _login(keys.auth, section, around)
    if not keys.address:
        section.missing("address", "`vault` needs `address`, the URL of Vault")
    else:
        refuse_plain_http("address", keys.address, section, allowed=keys.allow_insecure)
    warn_insecure(section, allowed=keys.allow_insecure)
    warn_proxy_password(keys.proxy, section)
    settings = tls(keys.tls, section, around)
    if not keys.address or login is None:
        report.spoil(("vault",))
        return None
    return Vault(
        keys.address.rstrip("/"),
        login,
        namespace=keys.namespace,
        tls=settings,
        egress=egress(keys.proxy),
        allow_insecure=keys.allow_insecure,
    )


def _login(
    keys: VaultAuthKeys | None, section: Section, around: Surroundings
) -> VaultToken | VaultKubernetes | VaultAppRole | None:
    inner = section.inner("auth")
    ways = [way for way in _WAYS if keys is not None and getattr(keys, way) is not None]
    if keys is None or not ways:
        if not any(inner.spoiled(way) for way in _WAYS):
            section.missing("auth", "`vault` needs `auth`: one of token, kubernetes, approle")
        return None
    if len(ways) > 1:
        inner.unfit(ways[1], f"`{ways[1]}` and `{ways[0]}` exclude each other: keep one")
    if keys.kubernetes is not None:
        return _kubernetes(keys.kubernetes, inner.inner("kubernetes"), around)
    if keys.approle is not None:
        return _approle(keys.approle, inner.inner("approle"), around)
    token = _outside(keys.token, "token", inner, around)
    return None if token is None else VaultToken(token)


def _kubernetes(
    keys: VaultKubernetesKeys, section: Section, around: Surroundings
) -> VaultKubernetes | None:
    if not keys.role:
        section.missing("role", "`kubernetes` needs `role`, the auth method's")
        return None
    file = FileSecret(Path(around.path(keys.token_file)), section.at("token_file"))
    return VaultKubernetes(keys.role, file, keys.mount.strip("/"))


def _approle(keys: VaultAppRoleKeys, section: Section, around: Surroundings) -> VaultAppRole | None:
    if keys.role_id is None:
        section.missing("role_id", "`approle` needs `role_id`")
        return None
    if keys.role_id.kind == "plain":  # a name rather than a secret: nobody is warned
        role: SecretReference | None = PlainSecret(
            keys.role_id.value or Secret(""), section.at("role_id")
        )
    else:
        role = _outside(keys.role_id, "role_id", section, around)
    secret_id = _outside(keys.secret_id, "secret_id", section, around)
    if role is None or (keys.secret_id is not None and secret_id is None):
        return None
    return VaultAppRole(role, secret_id, keys.mount.strip("/"))


def _outside(
    written: Written | None, key: str, section: Section, around: Surroundings
) -> SecretReference | None:
    """A secret that opens Vault can't stand in it."""
    if written is not None and written.kind == "vault":
        section.wrong(key, f"`{key}` opens Vault and can't stand in it: use file, env or another")
        return None
    return secret(written, key, section, around)
