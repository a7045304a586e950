"""A configuration checked whole, with everything made that can be made before it is put to work.

Nothing listens, asks or stops yet: where this fails, what runs goes on as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from proxy.config.model import Config
from proxy.plane.settings import PlaneSettings
from proxy.runtime.callers import CallerCredentials, HeldCallers, by_caller
from proxy.runtime.credentials import Credentials, Held
from proxy.runtime.preflight import assure, client_keys
from proxy.runtime.tls import TlsContexts
from proxy.runtime.translate import plane_settings
from proxy.tokens.callers import Callers
from proxy.tokens.credential import Credential


@dataclass(frozen=True, slots=True)
class Prepared:
    """What a configuration comes to.

    Attributes:
        warnings: what works but should not stay, each with its place in the file.
    """

    config: Config
    settings: PlaneSettings
    held: Mapping[str, Held]
    held_callers: Mapping[str, HeldCallers]
    warnings: tuple[str, ...]

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
) -> Prepared:
    """Check and make everything.

    Raises:
        ConfigurationError: a variable, a secret or a certificate that it names can't be used.
    """
    warnings = assure(config, environ, contexts)
    shared = {name: one for name, one in config.credentials.items() if not by_caller(one)}
    return Prepared(
        config=config,
        settings=plane_settings(config, contexts, client_keys(config, environ), environ),
        held=credentials.plan(shared),
        held_callers=callers.plan(config.credentials),
        warnings=warnings,
    )
