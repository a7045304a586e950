"""The supervisor's side of borrowed credentials: pushes terms, answers what workers ask.

Every credential object has a number of its own, so that a name whose credential was replaced by a
reload is not mistaken for the old one.
"""

from __future__ import annotations

import functools
import itertools
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from weakref import WeakValueDictionary

from proxy.errors import CredentialUnavailable
from proxy.runtime.workers import words
from proxy.runtime.workers.frames import Said, frame
from proxy.secret import Secret
from proxy.tokens.callers import Caller, Callers
from proxy.tokens.credential import Credential
from proxy.tokens.lease import Lease
from proxy.tokens.ports import Lender


def _unwatched() -> None:
    """Nobody has to be told."""


class Lending:
    """Lends credentials to workers.

    Args:
        tell: takes a frame to every worker.
    """

    def __init__(self, tell: Callable[[bytes], None]) -> None:
        self._tell = tell
        self._numbers = itertools.count(1)
        self._lent: dict[int, Credential] = {}
        # Replaced by a reload, and alive as long as requests wait for them.
        self._leaving: WeakValueDictionary[int, Credential] = WeakValueDictionary()
        self._keys: dict[str, int] = {}
        self._callers: dict[int, Callers] = {}
        self._caller_keys: dict[str, int] = {}

    def adopt(
        self,
        credentials: Mapping[str, Credential],
        callers: Mapping[str, Callers] | None = None,
    ) -> None:
        """Lend these from now on; what is new is told to every worker at once.

        Args:
            credentials: by name.
            callers: the credentials of which each caller has one, by name.
        """
        self._adopt_callers(callers or {})
        numbers = {id(one): key for key, one in self._lent.items()}
        for credential in self._lent.values():
            credential.watch(_unwatched)
        self._leaving.update(self._lent)
        self._lent, self._keys = {}, {}
        for name, credential in credentials.items():
            key = numbers.get(id(credential)) or next(self._numbers)
            self._lent[key], self._keys[name] = credential, key
            credential.watch(functools.partial(self._changed, key))
            self._changed(key)

    def _adopt_callers(self, callers: Mapping[str, Callers]) -> None:
        numbers = {id(one): key for key, one in self._callers.items()}
        self._caller_keys = {
            name: numbers.get(id(one)) or next(self._numbers) for name, one in callers.items()
        }
        self._callers = {self._caller_keys[name]: one for name, one in callers.items()}

    def terms(self) -> Iterator[bytes]:
        """The terms of all, in frames for a new worker."""
        return map(self._terms, self._lent)

    def adoption(self) -> bytes:
        """The frame that has a worker serve by what it was told before."""
        return frame({"kind": "adopt", "credentials": self._keys, "callers": self._caller_keys})

    async def answer(self, said: Said) -> bytes:
        """The frame that answers a worker's question."""
        told: dict[str, Any] = {"kind": "answer", "number": said["number"]}
        caller = self._caller(said) if "bearer" in said else None
        key = said["credential"]
        credential = caller or self._lent.get(key) or self._leaving.get(key)
        try:
            lease = None if credential is None else await _ask(credential, said)
        except CredentialUnavailable as error:
            return frame({**told, "failure": words.of_failure(error)})
        # The terms of a caller are pushed to nobody: the answer brings them.
        terms = None if caller is None else words.of_terms(caller.terms())
        return frame({**told, "lease": words.of_lease(lease), "terms": terms})

    def _caller(self, said: Said) -> Caller | None:
        callers = self._callers.get(said["credential"])
        return None if callers is None else callers.of(Secret(said["bearer"]))

    def wanted(self, said: Said) -> None:
        """A worker sends an aged token: see to it that it is renewed."""
        credential = self._lent.get(said["credential"])
        if credential is not None:
            credential.current()

    def used(self, uses: list[tuple[int, float]]) -> None:
        """When workers asked for tokens last."""
        for key, moment in uses:
            credential = self._lent.get(key)
            if credential is not None:
                credential.used(float(moment))

    def _changed(self, key: int) -> None:
        self._tell(self._terms(key))

    def _terms(self, key: int) -> bytes:
        terms = words.of_terms(self._lent[key].terms())
        return frame({"kind": "lend", "credential": key, "terms": terms})


async def _ask(credential: Lender, said: Said) -> Lease | None:
    hold = float(said["hold"])
    if said["call"] == "acquire":
        return await credential.acquire(hold)
    return await credential.reject(int(said["generation"]), hold)
