"""A configuration checked whole, with everything made that can be made before it is put to work.

Nothing listens, asks or stops yet: where this fails, what runs goes on as it was.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from proxy.config.model import Config
from proxy.plane.settings import PlaneSettings
from proxy.runtime.credentials import Credentials, Held
from proxy.runtime.preflight import assure, client_keys
from proxy.runtime.tls import TlsContexts
from proxy.runtime.translate import plane_settings
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
    warnings: tuple[str, ...]

    @property
    def credentials(self) -> dict[str, Credential]:
        """The credentials, by name."""
        return {name: one.credential for name, one in self.held.items()}


def prepare(
    config: Config,
    environ: Mapping[str, str],
    contexts: TlsContexts,
    credentials: Credentials,
) -> Prepared:
    """Check and make everything.

    Raises:
        ConfigurationError: a variable, a secret or a certificate that it names can't be used.
    """
    warnings = assure(config, environ, contexts)
    return Prepared(
        config=config,
        settings=plane_settings(config, contexts, client_keys(config, environ), environ),
        held=credentials.plan(config.credentials),
        warnings=warnings,
    )
