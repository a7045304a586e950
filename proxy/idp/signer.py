"""Signs assertions with a key that may be replaced while we run: RFC 7523 section 3.

The key is read each time and parsed when it changed; after a change the old one is still tried in
turn. Knows nothing of what the claims mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from proxy.clock import Clock
from proxy.config import model
from proxy.errors import Failure, SecretError, TokenRequestError
from proxy.oauth.signing import KeyFormatError, SigningKey, private_key, shared_key, sign
from proxy.secret import Secret
from proxy.secrets.history import MOST
from proxy.secrets.places import place
from proxy.secrets.references import Sources
from proxy.secrets.rotating import Rotating
from proxy.secrets.source import SecretSource

Parse = Callable[[Secret], SigningKey]
KEPT: Final = 1 + MOST
"""Keys that may be offered in turn."""


class Signer:
    """One key, wherever it stands.

    Args:
        key: its text.
        where: names the key and its place in messages.
        parse: makes a key of the text; KeyFormatError says why it can't.
        clock: tells how long ago the key changed.
    """

    def __init__(self, key: SecretSource, where: str, parse: Parse, clock: Clock) -> None:
        self._text = Rotating(key, clock)
        self._where = where
        self._parse = parse
        self._parsed: dict[Secret, SigningKey] = {}

    def sign(self, claims: Mapping[str, object]) -> Secret:
        """``claims`` as a signed JWT.

        Raises:
            TokenRequestError: there is no key, or one that can't sign; transient, since somebody
                may be replacing it.
        """
        try:
            text = self._text.read()
            return sign(claims, self._key(text))
        except (SecretError, KeyFormatError) as error:
            said = f"{self._where} {error}" if isinstance(error, KeyFormatError) else str(error)
            raise TokenRequestError(said, failure=Failure.TRANSIENT, reason="secret") from None

    def is_recent(self) -> bool:
        """Whether a refusal may mean nothing; see ``Rotating``."""
        return self._text.is_recent()

    def has_other(self) -> bool:
        """Whether there was another key lately."""
        return self._text.has_other()

    def accepted(self) -> None:
        """What was signed last was believed."""
        self._text.accepted()

    def refused(self) -> None:
        """What was signed last was refused: the other key's turn, if there is one."""
        self._text.refused()

    def _key(self, text: Secret) -> SigningKey:
        if text not in self._parsed:
            parsed = self._parse(text)
            # The newest and those before it may take turns; nobody asks for an older one.
            self._parsed = dict([*self._parsed.items(), (text, parsed)][-KEPT:])
        return self._parsed[text]


def with_private_key(signing: model.Signing, secrets: Sources, clock: Clock) -> Signer:
    """What signs as the configuration says; nothing is read yet."""
    key, where = signing.private_key, named(signing)
    return Signer(secrets(key), where, _parse(signing), clock)


def with_client_secret(reference: model.SecretReference, secrets: Sources, clock: Clock) -> Signer:
    """What signs with a client secret (OpenID Connect Core section 9, client_secret_jwt)."""
    where = f"the client secret {place(reference)}"
    return Signer(secrets(reference), where, shared_key, clock)


def check(signing: model.Signing, secrets: Sources) -> None:
    """Read and parse a private key once.

    Raises:
        SecretError: it can't be used.
    """
    text = secrets(signing.private_key).read()
    try:
        _parse(signing)(text)
    except KeyFormatError as error:
        raise SecretError(f"{named(signing)} {error}") from None


def named(signing: model.Signing) -> str:
    """A private key and its place, for messages."""
    return f"the private key {place(signing.private_key)}"


def _parse(signing: model.Signing) -> Parse:
    return lambda text: private_key(text, algorithm=signing.algorithm, key_id=signing.key_id)
