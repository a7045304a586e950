"""Makes what answers SDKs' logins: the key that decoys are signed with, and the answers by route.

The key lies in ``state_dir/sdk-login.key``, so that decoys outlive a restart and every worker, and
every other sidecar with this directory, knows them. It opens nothing but this sidecar's routes.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from proxy.config.model import Config, SdkLogin
from proxy.errors import ConfigurationError, StoreError
from proxy.plane.local import LocalAnswers
from proxy.plane.settings import Route
from proxy.secret import Secret
from proxy.stores.file import first, guarded
from proxy.stores.key import BYTES, key, text_of

FILE: Final = "sdk-login.key"

Answers = Callable[[SdkLogin, Route], LocalAnswers]


def decoy_key(config: Config) -> Secret | None:
    """The key, made if there is none; None where no route answers logins.

    Raises:
        ConfigurationError: it can't be read or made.
    """
    at = next((route.at for route in config.routes if route.sdk_login is not None), None)
    if at is None:
        return None
    try:
        return _kept(config.state_dir)
    except StoreError as error:
        raise ConfigurationError((at.problem(f"`sdk_login`: {error}"),)) from None


def _kept(state_dir: Path) -> Secret:
    guarded.directory(state_dir)
    path = state_dir / FILE
    try:
        if guarded.content(path) is None:
            first.put(path, f"{text_of(secrets.token_bytes(BYTES))}\n".encode())
    except OSError as error:
        raise StoreError(
            f"can't make the key {path}: {error.strerror}; name a `state_dir` that can be written"
        ) from None
    text = (guarded.content(path) or b"").decode("ascii", "replace").strip()
    return Secret(text_of(key(text, str(path)).value))


def answers(
    signed_with: Secret | None, clients: Mapping[str, Secret], wall: Callable[[], float]
) -> Answers:
    """What makes the answers of a route; ``wall``: seconds since the epoch."""

    def of(login: SdkLogin, route: Route) -> LocalAnswers:
        # Most have no such route: they do not pay for it.
        from proxy.control.decoys.choosing import decoys  # noqa: PLC0415
        from proxy.control.decoys.mint import Mint  # noqa: PLC0415

        if signed_with is None:
            raise ValueError("there is no key for decoys")
        return decoys(login, Mint(signed_with, route.label, clients, wall=wall), route.clients)

    return of
