"""Resolves what several sections have: secrets, TLS, plain http that needs leave."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from proxy.config.addresses import is_loopback, url
from proxy.config.keys import TlsKeys
from proxy.config.model import (
    CommandSecret,
    CredentialsFileSecret,
    Egress,
    EnvSecret,
    FileSecret,
    KeyringSecret,
    PlainSecret,
    SecretReference,
    SystemdSecret,
    Tls,
    VaultSecret,
)
from proxy.config.report import Section, suggestion
from proxy.config.secret_keys import Written
from proxy.config.surroundings import Surroundings, unreadable
from proxy.secret import Secret


def secret(
    written: Written | None, key: str, section: Section, around: Surroundings
) -> SecretReference | None:
    """The reference that stands under ``key``; a plain one is warned about."""
    if written is None:
        return None
    at = section.at(key)
    match written.kind:
        case "env":
            return EnvSecret(written.where, at)
        case "file":
            return FileSecret(around.path(written.where), at)
        case "keyring":
            service, _, name = written.where.rpartition("/")
            return KeyringSecret(service, name, at, written.every)
        case "command":
            return CommandSecret(_program(written.words, around), at, written.every)
        case "systemd":
            return SystemdSecret(written.where, at)
        case "vault":
            return _in_vault(written, key, section, around)
        case "credentials_file":
            return CredentialsFileSecret(around.path(written.where), section.at("credentials_file"))
    section.warn(key, f"`{key}` stands here in plain text: use {{env: NAME}} or {{file: path}}")
    return PlainSecret(written.value or Secret(""), at)


def _program(words: tuple[str, ...], around: Surroundings) -> tuple[str, ...]:
    """A program with a path is found from the file; one without is looked for in PATH."""
    program, *arguments = words
    return (str(around.path(program)) if "/" in program else program, *arguments)


def _in_vault(
    written: Written, key: str, section: Section, around: Surroundings
) -> SecretReference | None:
    if around.vault is None:
        if not section.report.spoiled(("vault",)):
            section.wrong(key, f"`{key}` is in Vault: the file's `vault:` has to say where that is")
        return None
    path, _, name = written.where.rpartition("#")
    return VaultSecret(path.strip("/"), name, around.vault, section.at(key), written.every)


def tls(keys: TlsKeys | None, section: Section, around: Surroundings) -> Tls:
    """The TLS settings of a section, whose files can be read."""
    if keys is None:
        return Tls()
    inner = section.inner("tls")
    if keys.key_file and not keys.cert_file:
        inner.missing("cert_file", "`tls` has a key_file and no cert_file that it belongs to")
    if not keys.verify:
        inner.warn("verify", "`verify: false` trusts whoever answers: use ca_file instead")
        if keys.ca_file:
            inner.unfit("ca_file", "`ca_file` and `verify: false` exclude each other")
    files = {name: getattr(keys, name) for name in ("ca_file", "cert_file", "key_file")}
    paths = {name: around.path(one) for name, one in files.items() if one}
    for name, path in paths.items():
        if fault := unreadable(path):
            inner.wrong(name, f"`{name}` {fault}")
    return Tls(verify=keys.verify, **paths)


def warn_proxy_password(proxy: str | None, section: Section) -> None:
    """A password in the file should not stay."""
    if proxy and "@" in proxy:
        section.warn("proxy", "`proxy` holds a password in plain text: HTTPS_PROXY can hold it")


def egress(proxy: str | None) -> Egress:
    """The way out that ``proxy``, as written, asks for."""
    if proxy is None:
        return Egress()
    return Egress(from_environment=False, url=None if proxy == "none" else proxy)


def refuse_plain_http(key: str, address: str, section: Section, *, allowed: bool) -> None:
    """Plain http to another machine is a mistake unless ``allow_insecure`` says otherwise."""
    found = url(address)
    if not (found.secure or allowed or is_loopback(found.host)):
        section.wrong(
            key,
            f"`{key}` sends secrets over plain http to another machine: use https, "
            "or say `allow_insecure: true` beside it",
        )


def warn_insecure(section: Section, *, allowed: bool) -> None:
    """``allow_insecure: true`` should not stay."""
    if allowed:
        section.warn("allow_insecure", "`allow_insecure: true` lets secrets travel unencrypted")


def check_clients(names: Sequence[str], known: Collection[str], section: Section) -> None:
    """Report the names under ``clients`` that are not in the file's."""
    for index, name in enumerate(names):
        if name not in known and not section.report.spoiled(("clients", name)):
            hint = suggestion(name, known)
            section.report.problem(
                (*section.trail, "clients", index),
                f"`clients` names `{name}`, which is not in the file's clients{hint}",
            )
