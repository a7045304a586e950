"""Which requests of a route are an SDK's login: by method and by how their paths end.

By their ends, since SDKs put what they are told is the server's address in front.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from proxy.control.decoys.mint import Mint
from proxy.control.decoys.users import LoginRefusedError
from proxy.http1.fields import Fields, values
from proxy.plane.local import Asked, Told

Path = tuple[bytes, ...]
BEARER: Final = re.compile(rb"bearer +(.+)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Here:
    """One place: what answers, and whether it repeats who the real token's user is."""

    tell: Callable[[Asked], Told]
    wants_token: bool = False

    def answer(self, asked: Asked) -> Told:
        """The answer, a refusal included."""
        try:
            return self.tell(asked)
        except LoginRefusedError as error:
            return error.told


Places = Mapping[tuple[bytes, Path], Here]


@dataclass(frozen=True, slots=True)
class Decoys:
    """What is answered on one route, for one vendor's SDK.

    Attributes:
        use: what the decoys that count as a key are for.
        ends: the places, by method and the last segments of the path.
        exact: those by method and the whole path.
        before: the whole paths that the SDK asks by GET before it logs in.
        cookie: the name of the cookie that holds a decoy, where one does.
    """

    mint: Mint
    uses: tuple[str, ...]
    ends: Places
    exact: Places
    before: tuple[Path, ...] = ()
    cookie: bytes = b""

    def place(self, method: bytes, parts: Sequence[bytes]) -> Here | None:
        """What answers this method and path."""
        path = tuple(parts)
        found = self.exact.get((method, path))
        if found is not None:
            return found
        return next(
            (
                place
                for (verb, end), place in self.ends.items()
                if verb == method and path[-len(end) :] == end
            ),
            None,
        )

    def client(self, fields: Fields) -> str | None:
        """The client for whose key a decoy came along, in ``Authorization`` or the cookie."""
        for sent in self._sent(fields):
            decoy = sent.decode("latin-1")
            for use in self.uses:
                if (client := self.mint.client(decoy, use)) is not None:
                    return client
        return None

    def _sent(self, fields: Fields) -> list[bytes]:
        bearers = [
            match[1]
            for value in values(fields, b"authorization")
            if (match := BEARER.fullmatch(value))
        ]
        if not self.cookie:
            return bearers
        # a cookie is sent as it was set, attributes and all, and by some as a bearer
        pairs = [
            pair.strip().partition(b"=")
            for value in (*values(fields, b"cookie"), *bearers)
            for pair in value.split(b";")
        ]
        return bearers + [value for name, _, value in pairs if name == self.cookie]

    def asked_by_nobody(self, method: bytes, parts: Sequence[bytes]) -> bool:
        """Whether the SDK asks this before it has logged in."""
        return method == b"GET" and tuple(parts) in self.before
