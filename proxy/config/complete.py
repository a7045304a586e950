"""From a credential's complete and checked keys to its values."""

from __future__ import annotations

from collections.abc import Mapping

from proxy.config.client_proofs import proof_of
from proxy.config.combinations import leads_here
from proxy.config.credential_keys import CredentialKeys
from proxy.config.grant_keys import FormKeys
from proxy.config.keys import RenewKeys
from proxy.config.model import (
    BY_PERSON,
    Credential,
    Form,
    FromCredential,
    FromRequest,
    Grant,
    Provider,
    Renew,
    SecretReference,
    SignIn,
    Signing,
)
from proxy.config.report import Section
from proxy.config.secret_keys import Subject, Written
from proxy.config.shared import secret
from proxy.config.surroundings import Surroundings
from proxy.oauth.authentication import ClientAuthentication


class Completing:
    """Makes a credential of keys that may still be wrong: what is, was reported.

    Args:
        keys: all of them, with what provider, file and preset added.
        section: where they stand.
        around: what relative paths are relative to.
    """

    def __init__(self, keys: CredentialKeys, section: Section, around: Surroundings) -> None:
        self._keys = keys
        self._section = section
        self._around = around

    def credential(self, name: str, where: Provider | None) -> Credential:
        """The values."""
        keys, proof = self._keys, ClientAuthentication(proof_of(self._keys))
        federated = proof is ClientAuthentication.FEDERATED
        assertion = self._secret("assertion")
        return Credential(
            name=name,
            at=self._section.position,
            grant=Grant(keys.grant),
            provider=where,
            client_id=keys.client_id,
            client_secret=self._secret("client_secret"),
            client_auth=proof,
            username=keys.username,
            password=self._secret("password"),
            refresh_token=self._secret("refresh_token"),
            token=self._secret("token"),
            client_signing=self._client_signing(proof),
            assertion_audience=keys.assertion_audience,
            client_assertion=assertion if federated else None,
            redirect_uri=keys.redirect_uri,
            redirect_port=keys.redirect_port,
            paste=_is_pasted(keys),
            subject=self._token("subject", keys.subject),
            subject_type=keys.subject_type,
            requested_type=keys.requested_type,
            actor=self._actor(),
            actor_type=keys.actor_type,
            assertion=None if federated else assertion,
            signing=self._signing(federated=federated),
            sign_in=_sign_in(keys),
            scope=keys.scope,
            audience=keys.audience or (),
            resource=keys.resource or (),
            params=keys.params or {},
            use=keys.use or ("access_token",),
            clients=frozenset(keys.clients),
            required=_is_required(keys) if keys.required is None else keys.required,
            renew=_renew(keys.renew),
        )

    def _secret(self, key: str) -> SecretReference | None:
        return secret(getattr(self._keys, key), key, self._section, self._around)

    def _token(
        self, key: str, whose: Subject | None
    ) -> SecretReference | FromCredential | FromRequest | None:
        if whose is None or isinstance(whose, Written):
            return secret(whose, key, self._section, self._around)
        return whose

    def _actor(self) -> SecretReference | FromCredential | None:
        found = self._token("actor", self._keys.actor)
        return None if isinstance(found, FromRequest) else found

    def _client_signing(self, proof: ClientAuthentication) -> Signing | None:
        return self._key({}) if proof is ClientAuthentication.PRIVATE_KEY_JWT else None

    def _signing(self, *, federated: bool) -> Signing | None:
        keys = self._keys
        if keys.grant != Grant.JWT_BEARER or (keys.assertion and not federated):
            return None
        return self._key(keys.claims or {})

    def _key(self, claims: Mapping[str, object]) -> Signing | None:
        private_key = self._secret("private_key")
        if private_key is None:
            return None
        return Signing(private_key, self._keys.key_id, self._keys.algorithm, claims)


def _is_pasted(keys: CredentialKeys) -> bool:
    if keys.paste is None:
        return bool(keys.redirect_uri) and not leads_here(keys.redirect_uri or "")
    return keys.paste


def _is_required(keys: CredentialKeys) -> bool:
    by_itself = keys.grant not in BY_PERSON and keys.subject != FromRequest()
    return by_itself and not (keys.renew and keys.renew.idle is not None)


def _sign_in(keys: CredentialKeys) -> SignIn | None:
    if keys.grant != Grant.SESSION or not keys.url:
        return None
    form = Form(**(keys.form or FormKeys()).model_dump())
    return SignIn(keys.url, form, keys.connector, keys.cookies or ())


def _renew(keys: RenewKeys | None) -> Renew:
    return Renew(**keys.model_dump()) if keys else Renew()
