"""Lends from the store without a sidecar: renews by itself, on an event loop in a thread.

A program may have a running loop or none, and any number of threads; the credentials know nothing
of that. What ends the thread lets an answer come that replaces a refresh token.
"""

from __future__ import annotations

import asyncio
import logging
import os
import random
import threading
import weakref
from collections.abc import Coroutine, Mapping
from typing import Any, Final, TypeVar

from proxy.client.lent import Lent
from proxy.client.making import made
from proxy.client.running import RefusedError
from proxy.clock import Clock, SystemClock
from proxy.config import model
from proxy.net.carriers import Carriers
from proxy.net.trust import Trust
from proxy.secret import Secret
from proxy.secrets.references import Direct
from proxy.stores.identity import identity
from proxy.stores.opening import open_store
from proxy.tokens.credential import Credential
from proxy.tokens.event import Event
from proxy.tokens.lease import Lease
from proxy.tokens.policy import RenewalPolicy, too_short
from proxy.tokens.ports import TokenStore

T = TypeVar("T")
_log = logging.getLogger("token_sidecar")
FAREWELL: Final = 0.1
"""Seconds that closed TLS connections get to say goodbye before the loop ends under them."""
PATIENCE: Final = 12.0
"""Seconds to wait for the thread at the end; a credential takes at most ten."""


class InProcess:
    """A ``Supply`` over the store of a configuration.

    Args:
        config: checked and resolved.
        environ: where secrets and proxies are looked up.
        clock: the process's.

    Raises:
        StoreError: the store can't be opened.
    """

    def __init__(
        self, config: model.Config, environ: Mapping[str, str], clock: Clock | None = None
    ) -> None:
        self.state_dir = config.state_dir
        self._loop = asyncio.new_event_loop()
        self._own = OwnCredentials(config, environ, clock or SystemClock())
        thread = threading.Thread(target=self._loop.run_forever, name="token-sidecar", daemon=True)
        thread.start()
        # Also at the interpreter's end: a daemon's loop would be cut off in the middle of it.
        self._end = weakref.finalize(self, _end, self._loop, thread, self._own, os.getpid())
        try:
            self._run(self._own.open())
        except BaseException:
            self.close()
            raise

    def token(self, name: str, *, min_ttl: float = 0.0) -> Lent:
        """See ``Supply``."""
        return self._run(self._own.token(name, min_ttl))

    def reject(self, name: str, generation: int) -> Lent:
        """See ``Supply``."""
        return self._run(self._own.reject(name, generation))

    def refresh(self, name: str) -> Lent:
        """See ``Supply``."""
        return self._run(self._own.refresh(name))

    def close(self) -> None:
        """See ``Alone``."""
        self._end()

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()


class OwnCredentials:
    """The credentials of a configuration on one event loop, each made when it is first wanted."""

    def __init__(self, config: model.Config, environ: Mapping[str, str], clock: Clock) -> None:
        self._config = config
        self._environ = environ
        self._secrets = Direct(environ, clock)
        self._clock = clock
        self._random = random.SystemRandom()
        self._carriers = Carriers(environ=environ, clock=clock, contexts=Trust())
        self._store: TokenStore | None = None
        self._made: dict[str, Credential] = {}

    async def open(self) -> None:
        """Open the store.

        Raises:
            StoreError: it can't be opened.
        """
        self._store = open_store(
            self._config.store,
            state_dir=self._config.state_dir,
            environ=self._environ,
            clock=self._clock,
            tell=_log.warning,
        )

    async def token(self, name: str, least: float) -> Lent:
        """A token, with ``least`` seconds left where tokens of this provider live that long."""
        credential = self.credential(name)
        lease = await credential.acquire(self._config.hold)
        status = credential.status()
        if too_short(status.expires_in_seconds, status.lifetime_seconds, least):
            lease = await credential.refresh(self._config.hold)
        return _lent(lease, credential)

    async def reject(self, name: str, generation: int) -> Lent:
        """What there is after a 401 for this generation."""
        credential, hold = self.credential(name), self._config.hold
        lease = await credential.reject(generation, hold) or await credential.acquire(hold)
        return _lent(lease, credential)

    async def refresh(self, name: str) -> Lent:
        """A new token."""
        credential = self.credential(name)
        return _lent(await credential.refresh(self._config.hold), credential)

    def credential(self, name: str) -> Credential:
        """The credential of this name.

        Raises:
            RefusedError: there is none, or each caller of a route has one.
        """
        if name not in self._made:
            self._made[name] = self._make(name)
            self._made[name].start()
        return self._made[name]

    async def close(self) -> None:
        """Close what was opened."""
        await asyncio.gather(*(credential.close() for credential in self._made.values()))
        if self._store is not None:
            await self._store.close()
        await self._carriers.keep(())
        await asyncio.sleep(FAREWELL)

    def _make(self, name: str) -> Credential:
        every = self._config.credentials
        if name not in every:
            there = ", ".join(every) or "none"
            raise RefusedError(f"{self._config.path} has no credential {name}; there are: {there}")
        configured = every[name]
        if isinstance(configured.subject, model.FromRequest):
            raise RefusedError(f"credential {name}: each caller of its route has one of its own")
        if self._store is None:
            raise ValueError("the store is opened first")
        renew = configured.renew
        return made(
            configured,
            identity=identity(configured, every),
            sender=self._carriers.get(self._carriers.key(configured.provider)),
            store=self._store,
            # Nothing is renewed that the program does not ask for.
            renewal=RenewalPolicy(renew.margin, renew.min_interval, idle=0.0),
            secrets=self._secrets,
            clock=self._clock,
            random=self._random,
            lenders=self.credential,
            log=_tell,
        )


def _lent(lease: Lease, credential: Credential) -> Lent:
    return Lent(
        Secret(lease.value.decode("ascii")),
        lease.field,
        lease.generation,
        lease.session is not None,
        credential.status().expires_in_seconds,
    )


def _tell(event: Event) -> None:
    _log.debug("%s", event.message)


def _end(
    loop: asyncio.AbstractEventLoop, thread: threading.Thread, own: OwnCredentials, process: int
) -> None:
    """End the thread, if it is this process's; collected inside it, there is nobody to wait."""
    if process != os.getpid():
        return

    async def finish() -> None:
        try:
            await own.close()
        finally:
            loop.stop()

    asyncio.run_coroutine_threadsafe(finish(), loop)
    if thread is not threading.current_thread():
        thread.join(PATIENCE)
        if not thread.is_alive():
            loop.close()
