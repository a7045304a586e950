"""What must be right beside the file before anything starts: variables, secret and TLS files.

Reads each once and reports all that is wrong, where the configuration names it; connects to
nothing.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TypeGuard

from proxy.config.model import (
    Config,
    Credential,
    FromCredential,
    FromRequest,
    Position,
    RedisStore,
    SecretReference,
    Signing,
    Tls,
    VaultSecret,
)
from proxy.errors import ConfigurationError, Problem, SecretError, SecretUnavailableError
from proxy.idp import signer
from proxy.net.trust import TlsError
from proxy.runtime.egress import EgressError, proxy_of
from proxy.runtime.tls import TlsContexts
from proxy.secret import Secret
from proxy.secrets.references import Direct, Sources, keys_of
from proxy.secrets.source import SecretSource


@dataclass(frozen=True, slots=True)
class Findings:
    """What was found: mistakes, which forbid to start, and warnings, which do not."""

    problems: tuple[Problem, ...]
    warnings: tuple[Problem, ...]


def inspect(
    config: Config,
    environ: Mapping[str, str],
    contexts: TlsContexts,
    secrets: Sources | None = None,
    *,
    starting: bool = False,
) -> Findings:
    """Look at everything that ``config`` refers to.

    ``starting``: a secret's place that does not answer now is no reason not to begin.
    """
    sources = Direct(environ) if secrets is None else secrets
    problems: list[Problem] = []
    warnings = list(config.warnings)
    passing = warnings if starting else problems
    for reference in references(config):
        place = sources(reference)
        if _holds(place.read, reference.at, problems, passing):
            warnings += [reference.at.problem(said) for said in place.warnings()]
    for signing in signings(config):
        at = signing.private_key.at
        _holds(functools.partial(signer.check, signing, sources), at, problems, passing)
    for tls, at in certificates(config):
        _holds(functools.partial(contexts.get, tls), at, problems)
    for certificate in config.certificates.values():
        _holds(functools.partial(contexts.serving, certificate), certificate.at, problems)
    for route in config.routes:
        _holds(functools.partial(proxy_of, route, environ), route.at, problems)
    return Findings(_distinct(problems), _distinct(warnings))


def assure(
    config: Config,
    environ: Mapping[str, str],
    contexts: TlsContexts,
    secrets: Sources | None = None,
    *,
    starting: bool = False,
) -> tuple[str, ...]:
    """The warnings, as lines, if nothing is wrong.

    Raises:
        ConfigurationError: something is.
    """
    found = inspect(config, environ, contexts, secrets, starting=starting)
    if found.problems:
        raise ConfigurationError(found.problems)
    return tuple(str(one) for one in found.warnings)


def client_keys(config: Config, secrets: Sources) -> dict[str, Secret]:
    """The values of the client keys.

    Raises:
        ConfigurationError: one can't be read.
    """
    found = {}
    for name, key in config.clients.items():
        try:
            found[name] = secrets(key).read()
        except SecretError as error:  # without it nobody could be told from anybody
            raise ConfigurationError([key.at.problem(str(error))]) from None
    return found


def values(credential: Credential, secrets: Sources) -> tuple[Secret | None, ...]:
    """The values of a credential's secrets; None where a place does not answer now.

    Raises:
        SecretError: one can't be read.
    """
    return tuple(_value(secrets(one)) for one in secrets_of(credential) if one is not None)


def _value(place: SecretSource) -> Secret | None:
    try:
        return place.read()
    except SecretUnavailableError:
        return None


def references(config: Config) -> Iterator[SecretReference]:
    """Every secret that the configuration refers to, in its order; what opens Vault before it."""
    for reference in _written(config):
        if isinstance(reference, VaultSecret):
            yield from keys_of(reference.vault)
        yield reference


def _written(config: Config) -> Iterator[SecretReference]:
    yield from config.clients.values()
    for credential in config.credentials.values():
        yield from filter(None, secrets_of(credential))
    if config.store is not None and config.store.key is not None:
        yield config.store.key
    if isinstance(config.store, RedisStore) and config.store.password is not None:
        yield config.store.password


def signings(config: Config) -> Iterator[Signing]:
    """Every key that signs; that it is one shows before it is needed."""
    for credential in config.credentials.values():
        both = (credential.client_signing, credential.signing)
        yield from (one for one in both if one is not None)


def secrets_of(credential: Credential) -> tuple[SecretReference | None, ...]:
    """The secrets of one credential; not what others lend it, or a caller brings."""
    signings = (credential.client_signing, credential.signing)
    return (
        credential.client_secret,
        credential.password,
        credential.refresh_token,
        credential.token,
        credential.client_assertion,
        credential.assertion,
        *(one.private_key for one in signings if one is not None),
        *(one for one in (credential.subject, credential.actor) if _is_secret(one)),
    )


def _is_secret(
    one: SecretReference | FromCredential | FromRequest | None,
) -> TypeGuard[SecretReference]:
    return not (one is None or isinstance(one, (FromCredential, FromRequest)))


def certificates(config: Config) -> Iterator[tuple[Tls, Position]]:
    """TLS settings that name files, with the place of what has them."""
    for credential in config.credentials.values():
        if credential.provider is not None and _names_files(credential.provider.tls):
            yield credential.provider.tls, credential.at
    for route in config.routes:
        if route.upstream.secure and _names_files(route.tls):
            yield route.tls, route.at
    for reference in _written(config):
        if isinstance(reference, VaultSecret) and _names_files(reference.vault.tls):
            yield reference.vault.tls, reference.at
    if isinstance(config.store, RedisStore) and _names_files(config.store.tls):
        yield config.store.tls, config.store.at


def tls_settings(config: Config) -> set[Tls]:
    """All TLS settings towards others."""
    providers = (one.provider for one in config.credentials.values())
    found = {one.tls for one in providers if one is not None}
    found |= {route.tls for route in config.routes}
    return found | ({config.store.tls} if isinstance(config.store, RedisStore) else set())


def _names_files(tls: Tls) -> bool:
    return tls.ca_file is not None or tls.cert_file is not None


def _holds(
    act: Callable[[], object],
    at: Position,
    problems: list[Problem],
    passing: list[Problem] | None = None,
) -> bool:
    """Whether it can be done; ``passing``: where to tell what may be otherwise soon."""
    try:
        act()
    except SecretUnavailableError as error:
        (problems if passing is None else passing).append(at.problem(str(error)))
        return False
    except (SecretError, TlsError, EgressError) as error:
        problems.append(at.problem(str(error)))
        return False
    return True


def _distinct(found: list[Problem]) -> tuple[Problem, ...]:
    return tuple(dict.fromkeys(found))
