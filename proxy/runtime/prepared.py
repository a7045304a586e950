"""A configuration checked whole, with everything made that can be made before it is put to work.

Nothing listens, asks or stops yet: where this fails, what runs goes on as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from proxy.clock import Clock
from proxy.config.model import Config
from proxy.plane.settings import PlaneSettings
from proxy.runtime.callers import CallerCredentials, HeldCallers, by_caller
from proxy.runtime.credentials import Credentials, Held
from proxy.runtime.decoys import answers, decoy_key
from proxy.runtime.preflight import assure, client_keys
from proxy.runtime.tls import TlsContexts
from proxy.runtime.translate import plane_settings
from proxy.secret import Secret
from proxy.secrets.references import Sources
from proxy.tokens.callers import Callers
from proxy.tokens.credential import Credential


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a configuration comes to.

    Attributes:
        decoy_key: what decoys are signed with, where a route answers SDKs' logins.
        warnings: what works but should not stay, each with its place in the file.
    """

    config: Config
    settings: PlaneSettings
    held: Mapping[str, Held]
    held_callers: Mapping[str, HeldCallers]
    warnings: tuple[str, ...]
    decoy_key: Secret | None = None

    @property
    def credentials(self) -> dict[str, Credential]:
        """The credentials, by name; without those of which each caller has one."""
        return {name: one.credential for name, one in self.held.items()}

    @property
    def callers(self) -> dict[str, Callers]:
        """The credentials of which each caller has one, by name."""
        return {name: one.callers for name, one in self.held_callers.items()}


def prepare(
    config: Config,
    environ: Mapping[str, str],
    contexts: TlsContexts,
    credentials: Credentials,
    callers: CallerCredentials,
    clock: Clock,
    secrets: Sources,
    *,
    starting: bool = False,
) -> Prepared:
    """Check and make everything; ``starting``: what may be had later does not keep us from it.

    Raises:
        ConfigurationError: a variable, a secret or a certificate that it names can't be used.
    """
    warnings = assure(config, environ, contexts, secrets, starting=starting)
    keys, signed_with = client_keys(config, secrets), decoy_key(config)
    given_out = answers(signed_with, keys, clock.wall)
    shared = {name: one for name, one in config.credentials.items() if not by_caller(one)}
    return Prepared(
        config=config,
        settings=plane_settings(config, contexts, keys, environ, given_out),
        held=credentials.plan(shared),
        held_callers=callers.plan(config.credentials),
        warnings=warnings,
        decoy_key=signed_with,
    )
