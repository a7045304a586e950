"""What Vault's answers mean, without I/O: tokens, mounts, fields and refusals.

After the HTTP API's documentation: /auth/token, /auth/kubernetes, /auth/approle, /secret/kv,
/sys/internal/ui/mounts. Of Vault's own words only short, cleaned ones are repeated.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from proxy.errors import SecretError, SecretUnavailableError
from proxy.message import Answer
from proxy.oauth.text import description
from proxy.secret import Secret

KV: Final = frozenset({"kv", "generic", "cubbyhole"})
"""The engines that are only read; others make something anew whenever they are asked."""
_PASSING: Final = frozenset({412, 429, 472, 473})
_NO_LEADER: Final = "active cluster node not found"


@dataclass(frozen=True, slots=True)
class Granted:
    """A token of Vault's, and how long it lives.

    Attributes:
        lease: seconds from when it was given; 0: it does not end.
        renewable: whether it can be given more time.
    """

    token: Secret
    lease: float = 0.0
    renewable: bool = False


@dataclass(frozen=True, slots=True)
class Mount:
    """Where a secrets engine is enabled: ``path`` ends with a slash."""

    path: str
    version: int

    def address_of(self, path: str) -> str:
        """What the API calls the secret at ``path``."""
        if self.version != 2 or not path.startswith(self.path):
            return path
        return f"{self.path}data/{path.removeprefix(self.path)}"


def granted(answer: Answer) -> Granted | None:
    """The token that a login or a renewal brought, None where it brought none."""
    auth = _object(_content(answer).get("auth"))
    token = auth.get("client_token")
    if answer.status != 200 or not isinstance(token, str) or not token:
        return None
    return Granted(Secret(token), _seconds(auth.get("lease_duration")), bool(auth.get("renewable")))


def looked_up(answer: Answer, token: Secret) -> Granted:
    """A token that we were given, with what Vault says of its life; nothing is no end."""
    found = _object(_content(answer).get("data")) if answer.status == 200 else {}
    return Granted(token, _seconds(found.get("ttl")), bool(found.get("renewable")))


def mount(answer: Answer, path: str) -> Mount:
    """The engine that has ``path``.

    Raises:
        SecretError: it is one that makes something anew whenever it is asked.
    """
    found = _object(_content(answer).get("data")) if answer.status == 200 else {}
    where, kind = found.get("path"), found.get("type")
    if not isinstance(where, str) or not where:
        return guessed(path, 1)  # a Vault before 0.10, which knows the first version alone
    if isinstance(kind, str) and kind not in KV:
        raise SecretError(
            f"{where} in Vault is an engine of type {description(kind)}, which makes something new"
            " whenever it is read; only KV engines are read here"
        )
    version = _object(found.get("options")).get("version")
    # In a namespace the answer may name the mount from the root on: the secret's path does not.
    local = where if path.startswith(where) else guessed(path, 1).path
    return Mount(local, 2 if version == "2" else 1)


def guessed(path: str, version: int) -> Mount:
    """The first part of the path, where Vault does not tell."""
    return Mount(f"{path.partition('/')[0]}/", version)


def value(answer: Answer, version: int, key: str, where: str) -> Secret:
    """The field ``key`` of a secret that was read.

    Raises:
        SecretError: there is no such field, or it is no text.
    """
    found: Any = _content(answer).get("data")
    if version == 2:
        found = _object(found).get("data")
    if not isinstance(found, dict) or key not in found:
        raise SecretError(f"the secret {where} in Vault has no field {key}; mend the field's name")
    one = found[key]
    if not isinstance(one, str) or not one:
        raise SecretError(f"the field {key} of {where} in Vault is no text; write it as a string")
    return Secret(one)


def refusal(answer: Answer, what: str, advice: str, secrets: Iterable[Secret]) -> SecretError:
    """Why an answer is of no use; ``what`` was asked for, ``advice`` helps where it was refused."""
    told = _told(answer, secrets)
    if answer.status == 503:
        if "sealed" in told.lower():
            return SecretUnavailableError("Vault is sealed; unseal it: vault operator unseal")
        return SecretUnavailableError(f"Vault is down for maintenance (503{_said(told)})")
    if answer.status == 501:
        return SecretUnavailableError("Vault is not initialized; vault operator init")
    if answer.status == 500 and _NO_LEADER in told:
        return SecretUnavailableError("Vault has no active node at this moment (it is on standby)")
    if 300 <= answer.status < 400:
        return SecretUnavailableError("Vault leads from node to node; check each one's api_addr")
    if answer.status in _PASSING or answer.status >= 500:
        return SecretUnavailableError(f"Vault answered {answer.status} to {what}{_said(told)}")
    return SecretError(f"Vault refused {what} ({answer.status}{_said(told)}); {advice}")


def absent(answer: Answer, found: Mount, path: str) -> SecretError:
    """Why there is no secret at ``path``."""
    data = _object(_content(answer).get("data"))
    meta = _object(data.get("metadata"))
    if found.version == 2 and meta.get("destroyed"):
        return SecretError(f"the newest version of {path} in Vault was destroyed; vault kv put it")
    if found.version == 2 and meta.get("deletion_time"):
        return SecretError(
            f"the newest version of {path} in Vault was deleted; vault kv put or undelete it"
        )
    if found.version == 2 and path.removeprefix(found.path).startswith("data/"):
        return SecretError(
            f"Vault has no secret {path}; write the path without data/, as `vault kv get` has it"
        )
    return SecretError(f"Vault has no secret {path}, or lets nobody like us know; mend the path")


def _said(told: str) -> str:
    return f": {told}" if told else ""


def _told(answer: Answer, secrets: Iterable[Secret]) -> str:
    errors = _content(answer).get("errors")
    words = [one for one in errors if isinstance(one, str)] if isinstance(errors, list) else []
    return description(" ".join(words), secrets)


def _content(answer: Answer) -> Mapping[str, Any]:
    try:
        return _object(json.loads(answer.body))
    except (ValueError, RecursionError):
        return {}


def _object(found: object) -> Mapping[str, Any]:
    return found if isinstance(found, dict) else {}


def _seconds(found: object) -> float:
    if isinstance(found, bool) or not isinstance(found, (int, float)) or not 0 < found < 1 << 31:
        return 0.0
    return float(found)
