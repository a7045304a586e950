"""The Vaults of a running sidecar: one login each, whose token is renewed before it ends."""

from __future__ import annotations

import asyncio
import contextlib
import math
from collections.abc import Callable, Collection, Mapping

from proxy.clock import Clock, Timer
from proxy.config.model import Provider, Vault, VaultSecret
from proxy.errors import SecretError
from proxy.net.carrier import Carrier
from proxy.net.carriers import CarrierKey, Carriers, Contexts
from proxy.net.trust import TlsError
from proxy.secret import Secret
from proxy.secrets.references import Sources
from proxy.secrets.vault.reader import AGAIN, VaultReader


class Vaults:
    """Reads secrets from any of them.

    Args:
        secrets: where the secrets stand that we log in with.
        environ: where the way out looks for proxies.
        clock: where time comes from.
        contexts: TLS towards them.
    """

    def __init__(
        self, secrets: Sources, environ: Mapping[str, str], clock: Clock, contexts: Contexts
    ) -> None:
        self._secrets = secrets
        self._clock = clock
        self._carriers = Carriers(environ=environ, clock=clock, contexts=contexts)
        self._tended: dict[Vault, _Tended] = {}

    async def read(self, reference: VaultSecret) -> Secret:
        """The secret as it is now.

        Raises:
            SecretError: it can't be read.
        """
        vault = reference.vault
        tended = self._of(vault)
        try:
            found = await tended.reader.read(reference.path, reference.key, self._carrier(vault))
        except TlsError as error:
            raise SecretError(f"Vault: {error}") from None
        tended.plan()
        return found

    async def keep(self, used: Collection[Vault]) -> None:
        """Tend to these alone."""
        for vault in [one for one in self._tended if one not in used]:
            self._tended.pop(vault).close()
        await self._carriers.keep({self._key(vault) for vault in used})

    def _of(self, vault: Vault) -> _Tended:
        if vault not in self._tended:
            reader = VaultReader(vault, self._secrets, self._clock)
            self._tended[vault] = _Tended(reader, lambda: self._carrier(vault), self._clock)
        return self._tended[vault]

    def _key(self, vault: Vault) -> CarrierKey | None:
        return self._carriers.key(Provider(tls=vault.tls, egress=vault.egress))

    def _carrier(self, vault: Vault) -> Carrier:
        carrier = self._carriers.get(self._key(vault))
        if carrier is None:
            raise ValueError("a provider has a carrier")
        return carrier


class _Tended:
    """One reader, and the timer that keeps its token alive."""

    def __init__(self, reader: VaultReader, sender: Callable[[], Carrier], clock: Clock) -> None:
        self.reader = reader
        self._sender = sender
        self._clock = clock
        self._task: asyncio.Task[None] | None = None
        self._timer: Timer | None = None
        self._due_at = math.inf

    def close(self) -> None:
        """Tend to it no more."""
        if self._timer is not None:
            self._timer.cancel()
        if self._task is not None:
            self._task.cancel()

    def plan(self) -> None:
        """It may have logged in: see to it in time."""
        self._arm(self.reader.due_in())

    def _arm(self, wait: float) -> None:
        """No later than in ``wait`` seconds."""
        due_at = self._clock.monotonic() + wait
        if math.isinf(wait) or self._task is not None or due_at >= self._due_at:
            return
        if self._timer is not None:
            self._timer.cancel()
        self._due_at = due_at
        self._timer = self._clock.call_later(max(0.0, wait), self._due)

    def _due(self) -> None:
        self._due_at = math.inf
        self._task = asyncio.get_running_loop().create_task(self._tend(), name="tend to Vault")

    async def _tend(self) -> None:
        wait = AGAIN
        try:
            with contextlib.suppress(TlsError):  # the next reading tells
                wait = await self.reader.tend(self._sender())
        finally:
            self._task = None
        self._arm(wait)
