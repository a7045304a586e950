"""``python -m tests.support.mortal``: one credential on a store, killed where it is told.

What it is to do stands in ``MORTAL``, as JSON (see ``Errand``). It says on stdout what it has come
to: ``token VALUE`` for each new token, ``failed MESSAGE`` where none came.
"""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path

from proxy.clock import SystemClock
from proxy.config import model
from proxy.errors import CredentialUnavailable
from proxy.oauth.authentication import ClientAuthentication
from proxy.runtime.credentials import Credentials
from proxy.runtime.tls import TlsContexts
from proxy.secret import Secret
from proxy.stores.opening import open_store
from proxy.stores.sealing import MAGIC
from proxy.tokens.credential import Credential
from proxy.tokens.ports import TokenStore

HERE = model.Position("mortal.yaml", 1, 1)
POINTS = ("reading", "unwritten", "half", "written", "renamed", "used")
"""Where it dies, in order: it holds the lock and reads the entry; the answer is there and the new
file is not; half of that is; all of it; it has its name; the token was used."""
PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Errand:
    """What one process is to do: refresh, and then refresh to its death, or go on for a while.

    Attributes:
        home: of the store and its key.
        client: its id.
        first: the first refresh token.
        point: where to die; empty: nowhere.
        seconds: how long to go on renewing, with nobody asking, instead of all that.
        redis: the port of a Redis that is the store; 0: files are.
    """

    home: str
    token_url: str
    client: str
    secret: str
    first: str
    point: str = ""
    seconds: float = 0.0
    redis: int = 0

    @property
    def environ(self) -> dict[str, str]:
        """What tells it to a process."""
        return {"MORTAL": json.dumps(asdict(self))}

    @property
    def credential(self) -> model.Credential:
        """What is configured."""
        return model.Credential(
            "api",
            HERE,
            grant=model.Grant.REFRESH_TOKEN,
            provider=model.Provider(token_url=self.token_url),
            client_id=self.client,
            client_secret=plain(self.secret),
            client_auth=ClientAuthentication.POST,
            refresh_token=plain(self.first),
        )

    def store(self) -> TokenStore:
        """The store, as every process opens it."""
        place = model.RedisPlace("tcp", (("127.0.0.1", self.redis),))
        key = plain("00" * 32)
        files = model.FileStore(Path(self.home, "tokens"), key)
        return open_store(
            model.RedisStore(place, key) if self.redis else files,
            state_dir=Path(self.home, "state"),
            environ={},
            clock=SystemClock(),
            tell=lambda told: say("told", told),
        )


def plain(value: str) -> model.PlainSecret:
    return model.PlainSecret(Secret(value), HERE)


def say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def die(*_: object) -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def die_at(point: str) -> None:
    """Die when the interpreter is about to touch the file that the point speaks of."""
    endings = {"reading": ("open", ".entry"), "unwritten": ("open", ".new")}
    endings["written"] = endings["renamed"] = ("os.rename", ".new")
    awaited, ending = endings.get(point, ("", "-"))
    renamed = False

    def hook(event: str, arguments: tuple[object, ...]) -> None:
        nonlocal renamed
        # A file's name comes after its renaming: what is opened next is the directory.
        if renamed and event == "open":
            die()
        if event == awaited and str(arguments[0]).endswith(ending):
            renamed = point == "renamed"
            if not renamed:
                die()

    sys.addaudithook(hook)
    if point == "half":
        os.write = half_of(os.write)


def half_of(write: Callable[[int, bytes], int]) -> Callable[[int, bytes], int]:
    """Writes half an entry, which is the end."""

    def half(descriptor: int, content: bytes) -> int:
        if bytes(content[: len(MAGIC)]) != MAGIC:
            return write(descriptor, content)
        write(descriptor, content[: len(content) // 2])
        return die() or 0

    return half


async def refreshed(credential: Credential) -> None:
    try:
        lease = await credential.refresh(PATIENCE)
    except CredentialUnavailable as error:
        say("failed", str(error))
    else:
        say("token", lease.value.decode())


async def going_on(credential: Credential, seconds: float) -> None:
    """Say each token as soon as it is there."""
    loop = asyncio.get_running_loop()
    end, known = loop.time() + seconds, b""
    while loop.time() < end:
        lease = credential.current()
        if lease is not None and lease.value != known:
            known = lease.value
            say("token", known.decode())
        await asyncio.sleep(0.01)


async def main(errand: Errand) -> None:
    credentials = Credentials(
        environ={},
        clock=SystemClock(),
        contexts=TlsContexts(),
        log=lambda _: None,
        store=errand.store(),
    )
    planned = credentials.plan({"api": errand.credential})
    await credentials.adopt(planned)
    credential = planned["api"].credential
    assert isinstance(credential, Credential)
    if errand.seconds:
        await going_on(credential, errand.seconds)
    else:
        await refreshed(credential)
    if errand.point:
        die_at(errand.point)
        await refreshed(credential)
        die()
    await credentials.close()


if __name__ == "__main__":
    asyncio.run(main(Errand(**json.loads(os.environ["MORTAL"]))))
