"""The secrets of a running sidecar: their last good values, read again while it runs.

A place that does not answer never takes a value away, and a slow one never holds up a request.
Decides who is told of a change; what a change means is the credentials' business.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from proxy.clock import Clock
from proxy.config.model import (
    CommandSecret,
    Config,
    CredentialsFileSecret,
    FileSecret,
    KeyringSecret,
    SecretReference,
    VaultSecret,
)
from proxy.control.snapshot import SecretStatus
from proxy.net.carriers import Contexts
from proxy.net.trust import Trust
from proxy.runtime.preflight import references, secrets_of
from proxy.runtime.rereading import Rereading
from proxy.runtime.watching import FileWatch
from proxy.secret import Secret
from proxy.secrets.kept import Kept, News
from proxy.secrets.places import place
from proxy.secrets.references import Direct, keys_of
from proxy.secrets.source import SecretSource

if TYPE_CHECKING:
    from proxy.runtime.vaults import Vaults

PATIENCE: Final = 12.0
"""Seconds that a keyring gets to answer; a command and Vault have limits of their own, below it."""
CHANGING: Final = (FileSecret, CredentialsFileSecret, KeyringSecret, CommandSecret, VaultSecret)
_SLOW: Final = (KeyringSecret, CommandSecret, VaultSecret)
_KINDS: Final[Mapping[type, str]] = {
    FileSecret: "file",
    CredentialsFileSecret: "credentials_file",
    KeyringSecret: "keyring",
    CommandSecret: "command",
    VaultSecret: "vault",
}
Tell = Callable[[str, str, str], None]
"""Level, kind and message of an event."""


class KeptSecrets:
    """``Sources`` that keep what they read.

    Args:
        environ: where environment variables are looked up, and what commands are run with.
        clock: where time comes from.
        contexts: TLS towards Vault.
        tell: is told of changes and faults.

    Attributes:
        changed: called with the place of a secret that is another one now.
    """

    def __init__(
        self, environ: Mapping[str, str], clock: Clock, contexts: Contexts, tell: Tell
    ) -> None:
        self.changed: Callable[[SecretReference], None] = lambda _: None
        self._environ = environ
        self._clock = clock
        self._contexts = contexts
        self._tell = tell
        self._direct = Direct(environ, clock)
        self._kept: dict[SecretReference, Kept] = {}
        self._rereadings: dict[SecretReference, Rereading] = {}
        self._unwatch: dict[SecretReference, Callable[[], None]] = {}
        self._users: dict[SecretReference, tuple[str, ...]] = {}
        self._watch = FileWatch(clock)
        self._vaults: Vaults | None = None

    def __call__(self, reference: SecretReference) -> SecretSource:
        """The source of ``reference``; see ``Sources``."""
        if not isinstance(reference, CHANGING):
            return self._direct(reference)
        if reference not in self._kept:
            self._kept[reference] = self._made(reference)
        return self._kept[reference]

    async def prefetch(self, config: Config) -> None:
        """Read what takes its time, all at once, without holding up the loop.

        What can't be read tells so when it is wanted. What is read again anyway is not waited for.
        """
        slow = {one for one in references(config) if isinstance(one, _SLOW)}
        wanted = [self(one) for one in slow]
        await asyncio.gather(
            *(
                one.reread()
                for reference, one in zip(slow, wanted, strict=True)
                if isinstance(one, Kept) and not (one.is_known and reference in self._rereadings)
            )
        )

    async def keep(self, config: Config) -> None:
        """Read again from now on what this configuration names, and forget the rest."""
        users, named = _users(config), set(references(config))
        for reference in [one for one in self._kept if one not in named]:
            self._forget(reference)
        for reference in [one for one in self._rereadings if one not in users]:
            self._leave(reference)
        self._users = {one: tuple(names) for one, names in users.items()}
        for reference in users:
            if isinstance(reference, CHANGING):
                self._follow(reference)
        if any(isinstance(one, (FileSecret, CredentialsFileSecret)) for one in users):
            self._watch.start()
        else:
            self._watch.close()
        if self._vaults is not None:
            await self._vaults.keep({one.vault for one in users if isinstance(one, VaultSecret)})

    async def close(self) -> None:
        """Read nothing again."""
        self._watch.close()
        for rereading in self._rereadings.values():
            rereading.close()
        for kept in self._kept.values():
            kept.close()
        if self._vaults is not None:
            await self._vaults.keep(())
        await asyncio.sleep(0)  # what was cancelled ends what it waits for

    def statuses(self) -> tuple[SecretStatus, ...]:
        """How the places are doing that are read again."""
        return tuple(
            SecretStatus(
                place=place(reference),
                kind=_KINDS[type(reference)],
                credentials=self._users.get(reference, ()),
                changes=kept.changes,
                failures=kept.failures,
                fault=kept.fault,
                changed_at=kept.changed_at,
            )
            # As the present configuration names them: what is kept may have been named elsewhere.
            for reference in self._users
            if (kept := self._kept.get(reference)) is not None
        )

    def _made(self, reference: SecretReference) -> Kept:
        source = self._direct(reference)
        anew: Callable[[], Awaitable[Secret]] | None = None
        if isinstance(reference, VaultSecret):
            anew = partial(self._in_vaults().read, reference)
        elif isinstance(reference, _SLOW):
            from proxy.secrets.off_loop import OffLoop  # noqa: PLC0415 - where it is used

            stop = getattr(source, "stop", lambda: None)  # of a command
            anew = OffLoop(source.read, f"the secret {place(reference)}", PATIENCE, stop)
        return Kept(source, anew, self._clock, partial(self._heard, reference))

    def _in_vaults(self) -> Vaults:
        if self._vaults is None:
            from proxy.runtime.vaults import Vaults  # noqa: PLC0415 - where it is used

            self._vaults = Vaults(self, self._environ, self._clock, self._contexts)
        return self._vaults

    def _follow(self, reference: SecretReference) -> None:
        kept = self._kept.get(reference)
        if kept is None:
            return
        every = getattr(reference, "every", None)
        if reference in self._rereadings:
            self._rereadings[reference].every(every)
            return
        changed = partial(self._announce, reference)
        self._rereadings[reference] = made = Rereading(kept, every, self._clock, changed)
        made.start()
        path: Path | None = getattr(reference, "path", None)
        if isinstance(reference, (FileSecret, CredentialsFileSecret)) and path is not None:
            self._unwatch[reference] = self._watch.watch(path, made.look)
            made.look()  # it may have changed since it was read first

    def _forget(self, reference: SecretReference) -> None:
        del self._kept[reference]
        self._leave(reference)

    def _leave(self, reference: SecretReference) -> None:
        rereading = self._rereadings.pop(reference, None)
        if rereading is not None:
            rereading.close()
        self._unwatch.pop(reference, lambda: None)()

    def _announce(self, reference: SecretReference) -> None:
        self.changed(reference)

    def _heard(self, reference: SecretReference, news: News) -> None:
        where = f"the secret {place(reference)}"
        if news == "changed":
            self._tell("info", "secret_changed", f"{where} is another one now")
        elif news == "mended":
            self._tell("info", "secret_mended", f"{where} can be read again")
        else:
            kept = self._kept.get(reference)
            if kept is not None and kept.is_known:  # else whoever wants it tells
                told = f"{where} can't be read: {kept.fault}; what was read before stays in use"
                self._tell("warning", "secret_fault", told)


def _users(config: Config) -> dict[SecretReference, Iterable[str]]:
    """The secrets of credentials, and those that open Vault for them; with who uses them.

    What a client shows and what the store is opened with are read at start and reload alone.
    """
    found: dict[SecretReference, dict[str, None]] = defaultdict(dict)
    for credential in config.credentials.values():
        for reference in secrets_of(credential):
            named = [] if reference is None else [reference]
            if isinstance(reference, VaultSecret):
                named += keys_of(reference.vault)
            for one in named:
                found[one][credential.name] = None
    return dict(found)


async def prefetched(
    config: Config, environ: Mapping[str, str], clock: Clock, tell: Tell
) -> KeptSecrets:
    """The secrets for a sidecar that begins with ``config``."""
    secrets = KeptSecrets(environ, clock, Trust(), tell)
    try:
        await secrets.prefetch(config)
    except asyncio.CancelledError:  # told to end before it had begun
        await secrets.close()
        raise
    return secrets
