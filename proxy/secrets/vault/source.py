"""A secret in Vault for whoever waits for it: commands, and a program without a sidecar."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Mapping
from typing import Final

from proxy.clock import Clock
from proxy.config.model import Provider, VaultSecret
from proxy.errors import SecretError
from proxy.net.carriers import Carriers
from proxy.net.trust import TlsError, Trust
from proxy.secret import Secret
from proxy.secrets.vault.reader import VaultReader

FAREWELL: Final = 0.1
"""Seconds that closed TLS connections get to say goodbye before the loop ends under them."""


class VaultSource:
    """One field of one secret.

    Args:
        reference: which.
        reader: shared by all that is read from the same Vault.
        environ: where the way out looks for proxies.
        clock: stamps requests.
    """

    def __init__(
        self, reference: VaultSecret, reader: VaultReader, environ: Mapping[str, str], clock: Clock
    ) -> None:
        self._reference = reference
        self._reader = reader
        self._environ = environ
        self._clock = clock

    def read(self) -> Secret:
        """The field as it is now; see ``SecretSource``. Takes up to ten seconds a request.

        In a thread of its own: where this is called a loop may be running, which can't wait.
        """
        found: list[Secret | SecretError] = []
        thread = threading.Thread(target=lambda: found.append(asyncio.run(self._asked())))
        thread.start()
        thread.join()
        if not found:
            raise SecretError("Vault was not asked: an internal error; see the log")
        (one,) = found
        if isinstance(one, SecretError):
            raise one
        return one

    def warnings(self) -> tuple[str, ...]:
        """None: who checks the configuration warns of what is odd about the way there."""
        return ()

    async def _asked(self) -> Secret | SecretError:
        vault = self._reference.vault
        carriers = Carriers(environ=self._environ, clock=self._clock, contexts=Trust())
        try:
            sender = carriers.get(carriers.key(Provider(tls=vault.tls, egress=vault.egress)))
            if sender is None:
                raise ValueError("a provider has a carrier")
            return await self._reader.read(self._reference.path, self._reference.key, sender)
        except SecretError as error:
            return error
        except TlsError as error:
            return SecretError(f"Vault: {error}")
        finally:
            await carriers.keep(())
            if vault.address.startswith("https:"):
                await asyncio.sleep(FAREWELL)
