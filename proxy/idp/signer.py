"""Signs assertions with a key that may be replaced while we run: RFC 7523 section 3.

The key is read each time and parsed when it changed; after a change the old one is still tried in
turn. Knows nothing of what the claims mean.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from proxy.clock import Clock
from proxy.config import model
from proxy.errors import Failure, SecretError, TokenRequestError
from proxy.oauth.signing import KeyFormatError, SigningKey, private_key, shared_key, sign
from proxy.secret import Secret
from proxy.secrets.places import place
from proxy.secrets.references import source
from proxy.secrets.rotating import Rotating
from proxy.secrets.source import SecretSource

Parse = Callable[[Secret], SigningKey]


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
        """Whether the key changed so lately that a refusal may mean nothing."""
        return self._text.is_recent()

    def refused(self) -> None:
        """What was signed last was refused: the other key's turn, if there is one."""
        self._text.refused()

    def _key(self, text: Secret) -> SigningKey:
        if text not in self._parsed:
            parsed = self._parse(text)
            # The newest and the one before may take turns; nobody asks for an older one.
            self._parsed = dict([*self._parsed.items(), (text, parsed)][-2:])
        return self._parsed[text]


def with_private_key(signing: model.Signing, environ: Mapping[str, str], clock: Clock) -> Signer:
    """What signs as the configuration says; nothing is read yet."""
    key, where = signing.private_key, named(signing)
    return Signer(source(key, environ), where, _parse(signing), clock)


def with_client_secret(
    reference: model.SecretReference, environ: Mapping[str, str], clock: Clock
) -> Signer:
    """What signs with a client secret (OpenID Connect Core section 9, client_secret_jwt)."""
    where = f"the client secret {place(reference)}"
    return Signer(source(reference, environ), where, shared_key, clock)


def check(signing: model.Signing, environ: Mapping[str, str]) -> None:
    """Read and parse a private key once.

    Raises:
        SecretError: it can't be used.
    """
    text = source(signing.private_key, environ).read()
    try:
        _parse(signing)(text)
    except KeyFormatError as error:
        raise SecretError(f"{named(signing)} {error}") from None


def named(signing: model.Signing) -> str:
    """A private key and its place, for messages."""
    return f"the private key {place(signing.private_key)}"


def _parse(signing: model.Signing) -> Parse:
    return lambda text: private_key(text, algorithm=signing.algorithm, key_id=signing.key_id)
