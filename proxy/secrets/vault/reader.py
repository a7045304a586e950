"""Reads secrets from Vault: logs in, keeps its token alive, finds out where a secret is.

Decides when to log in again: when the token has ended or Vault does not know it any more, once
per reading. Knows neither how often somebody reads nor what for.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable
from typing import Final

from proxy.clock import Clock, Moment
from proxy.config.model import SecretReference, Vault, VaultAppRole, VaultKubernetes
from proxy.errors import SecretError, SecretUnavailableError
from proxy.message import Answer
from proxy.secret import Secret
from proxy.secrets.kept import fresh
from proxy.secrets.source import SecretSource
from proxy.secrets.vault import answers
from proxy.secrets.vault.answers import Granted, Mount
from proxy.secrets.vault.talk import Sender, Talk

SOONEST: Final = 1.0
AGAIN: Final = 10.0
"""Seconds until another try to renew the token, where one failed; sooner if it would end."""
_RENEW_AT: Final = 1 / 3
"""How much of its time a token has left when it is renewed."""


class VaultReader:
    """Reads from one Vault, with one login for all that is read there.

    Args:
        vault: where it is, and how we log in.
        sources: where the secrets stand that we log in with.
        clock: tells when the token ends.
    """

    def __init__(
        self,
        vault: Vault,
        sources: Callable[[SecretReference], SecretSource],
        clock: Clock,
    ) -> None:
        self._vault = vault
        self._sources = sources
        self._clock = clock
        self._held: Granted | None = None
        self._ends: Moment | None = None
        self._first_lease = 0.0
        self._mounts: dict[str, Mount] = {}
        self._turn = asyncio.Lock()

    async def read(self, path: str, key: str, sender: Sender) -> Secret:
        """The field ``key`` of what stands at ``path``; ``sender`` carries the requests.

        Raises:
            SecretUnavailableError: Vault does not answer, is sealed, or has no active node.
            SecretError: it refuses us, or there is no such secret or field.
        """
        talk = Talk(self._vault, sender)
        token = await self._token(talk)
        answer = await self._attempt(talk, token, path)
        if answer.status == 403:
            newer = await self._another(talk, token)
            if newer is not None:
                token = newer
                answer = await self._attempt(talk, token, path)
        if answer.status == 403 and path not in self._mounts:
            answer = await self._guess(talk, token, path)
        return self._value(answer, path, key, token)

    def due_in(self) -> float:
        """Seconds until the token wants more time; infinity where it does not end."""
        held, left = self._held, self._left()
        if held is None or left is None or not (held.renewable or self._logs_in):
            return math.inf
        return left - held.lease * _RENEW_AT

    async def tend(self, sender: Sender) -> float:
        """Give the token more time if that is due; seconds until this is wanted again."""
        held, left = self._held, self._left()
        if held is None or left is None or self.due_in() > 0:
            return max(SOONEST, self.due_in())
        try:
            await self._prolong(Talk(self._vault, sender), held)
        except SecretError:
            pass
        else:
            if self.due_in() > 0:
                return max(SOONEST, self.due_in())
        # The next reading tells what is wrong.
        return max(SOONEST, min(AGAIN, left / 2)) if left > 0 else AGAIN

    def _left(self) -> float | None:
        return None if self._ends is None else self._clock.now().until(self._ends)

    async def _prolong(self, talk: Talk, held: Granted) -> None:
        async with self._turn:
            if held.renewable:
                renewed = answers.granted(await talk.post("auth/token/renew-self", held.token, {}))
                # Near its greatest age a token gets less and less: a new login is better.
                if renewed is not None and (
                    not self._logs_in or renewed.lease > self._first_lease / 2
                ):
                    self._hold(renewed)
                    return
            if self._logs_in:
                await self._log_in(talk)

    @property
    def _logs_in(self) -> bool:
        return isinstance(self._vault.login, (VaultKubernetes, VaultAppRole))

    async def _token(self, talk: Talk) -> Secret:
        async with self._turn:
            left = self._left()
            if self._held is None or (left is not None and left <= 0):
                return await self._log_in(talk)
            return self._held.token

    async def _another(self, talk: Talk, refused: Secret) -> Secret | None:
        """A token in place of one that Vault may not know any more; None: that was not it."""
        async with self._turn:
            if self._held is not None and self._held.token != refused:
                return self._held.token
            if self._logs_in:
                known = await talk.get("auth/token/lookup-self", refused)
                if known.status == 200:
                    return None
            newer = await self._log_in(talk)
            return None if newer == refused else newer

    async def _log_in(self, talk: Talk) -> Secret:
        self._held = self._ends = None
        granted = await self._login(talk)
        self._hold(granted)
        self._first_lease = granted.lease
        return granted.token

    def _hold(self, granted: Granted) -> None:
        self._held = granted
        self._ends = self._clock.now().later(granted.lease) if granted.lease else None

    async def _login(self, talk: Talk) -> Granted:
        login = self._vault.login
        if isinstance(login, VaultKubernetes):
            jwt = await self._secret(login.token)
            path, content, secrets = login.mount, {"role": login.role, "jwt": jwt.reveal()}, [jwt]
            advice = f"check the role {login.role} and the mount {login.mount}"
        elif isinstance(login, VaultAppRole):
            role = await self._secret(login.role_id)
            path, content, secrets = login.mount, {"role_id": role.reveal()}, [role]
            if login.secret_id is not None:
                secrets.append(await self._secret(login.secret_id))
                content["secret_id"] = secrets[-1].reveal()
            advice = f"check role_id, secret_id and the mount {login.mount}"
        else:
            token = await self._secret(login.token)
            known = await talk.get("auth/token/lookup-self", token)
            if known.status not in {200, 403, 404}:
                raise answers.refusal(known, "the token", "check it", [token])
            return answers.looked_up(known, token)
        answer = await talk.post(f"auth/{path}/login", None, content)
        found = answers.granted(answer)
        if found is None:
            raise answers.refusal(answer, "the login", advice, secrets)
        return found

    async def _secret(self, reference: SecretReference) -> Secret:
        try:
            return await fresh(self._sources(reference))
        except SecretUnavailableError:
            raise
        except SecretError as error:
            # Whoever writes it there may be about to: an agent, or the kubelet.
            raise SecretUnavailableError(f"no login to Vault: {error}") from None

    async def _attempt(self, talk: Talk, token: Secret, path: str) -> Answer:
        if path not in self._mounts:
            told = await talk.get(f"sys/internal/ui/mounts/{path}", token)
            if told.status not in {200, 404}:
                return told
            self._mounts[path] = answers.mount(told, path)
        return await talk.get(self._mounts[path].address_of(path), token)

    async def _guess(self, talk: Talk, token: Secret, path: str) -> Answer:
        """Where a policy hides what kind of mount it is: the second version, then the first."""
        answer = None
        for version in (2, 1):
            tried = answers.guessed(path, version)
            answer = await talk.get(tried.address_of(path), token)
            if answer.status == 200:
                self._mounts[path] = tried
                break
        if answer is None:
            raise ValueError("nothing was tried")
        return answer

    def _value(self, answer: Answer, path: str, key: str, token: Secret) -> Secret:
        mount = self._mounts.get(path)
        if answer.status == 200 and mount is not None:
            return answers.value(answer, mount.version, key, path)
        self._mounts.pop(path, None)  # it may have been made anew, of the other version
        if answer.status == 404:
            raise answers.absent(answer, mount or answers.guessed(path, 1), path)
        where = mount.address_of(path) if mount is not None else path
        advice = f"give the token's policy `read` on {where}"
        if not self._logs_in:
            advice += ", or put a new token in its place if it has ended"
        raise answers.refusal(answer, f"to read {path}", advice, [token])
