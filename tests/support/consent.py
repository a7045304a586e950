"""The part of an identity provider that persons meet: authorization, device and revocation.

    provider = IdentityProvider()
    people = People(provider)
    async with provider:
        ... people.authorize_url, people.device_url, people.revocation_url ...
        people.approve()

At the authorization endpoint everybody is logged in already and says at once what ``decision``
is; what a browser would be sent back with can be tampered with.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from proxy.oauth.request import DEVICE_CODE
from tests.support.identity_provider import REALM, Asked, IdentityProvider, Refused, Reply


@dataclass(frozen=True, slots=True)
class Granted:
    """What a code stands for."""

    client_id: str
    redirect_uri: str
    challenge: str
    nonce: str | None


class People:
    """Adds its endpoints and grants to a provider that has not started yet.

    Attributes:
        decision: None to consent, else the error that the browser comes back with.
        tampered: laid over the redirect's fields; None removes one.
        authorizations: every authorization request, oldest first.
        redirected: where browsers were sent back to, oldest first.
        polls: the ``error`` of the next polls, one each; None for the token.
        state_of_device: the same for all later ones; None once the person has consented.
        device: laid over the device authorization answer.
        device_replies: the next replies to device authorization requests.
        revoked: (token, hint) of every revocation, oldest first.
        revocation_replies: the next replies to revocations.
    """

    def __init__(self, provider: IdentityProvider) -> None:
        self._provider = provider
        self.decision: str | None = None
        self.tampered: dict[str, str | None] = {}
        self.authorizations: list[Mapping[str, str]] = []
        self.redirected: list[str] = []
        self.polls: list[str | None] = []
        self.state_of_device: str | None = "authorization_pending"
        self.device: dict[str, object] = {}
        self.device_replies: list[Reply] = []
        self.revoked: list[tuple[str, str]] = []
        self.revocation_replies: list[Reply] = []
        self._codes: dict[str, Granted] = {}
        self._numbers = itertools.count(1)
        provider.further_grants["authorization_code"] = self._redeem
        provider.further_grants[DEVICE_CODE] = self._poll
        provider.further_routes += [
            web.get(f"{REALM}/auth", self._authorize),
            web.post(f"{REALM}/device", self._device),
            web.post(f"{REALM}/revoke", self._revoke),
        ]

    @property
    def authorize_url(self) -> str:
        """The authorization endpoint."""
        return self._provider.issuer + "/auth"

    @property
    def device_url(self) -> str:
        """The device authorization endpoint."""
        return self._provider.issuer + "/device"

    @property
    def revocation_url(self) -> str:
        """The revocation endpoint."""
        return self._provider.issuer + "/revoke"

    def announce(self) -> None:
        """Have the discovery document name all three, once the provider has started."""
        self._provider.document |= {
            "authorization_endpoint": self.authorize_url,
            "device_authorization_endpoint": self.device_url,
            "revocation_endpoint": self.revocation_url,
        }

    def approve(self) -> None:
        """The person has typed in the device's code and said yes."""
        self.state_of_device = None

    async def _authorize(self, request: web.Request) -> web.Response:
        asked = dict(parse_qsl(request.query_string, keep_blank_values=True))
        self.authorizations.append(asked)
        fields: dict[str, str | None] = {"state": asked["state"]}
        if self.decision:
            fields |= {"error": self.decision, "error_description": "as the test wants it"}
        else:
            fields["code"] = f"code-{next(self._numbers)}"
            self._codes[str(fields["code"])] = Granted(
                asked["client_id"],
                asked["redirect_uri"],
                asked["code_challenge"],
                asked.get("nonce"),
            )
        said = {k: v for k, v in (fields | self.tampered).items() if v is not None}
        joint = "&" if "?" in asked["redirect_uri"] else "?"
        place = f"{asked['redirect_uri']}{joint}{urlencode(said)}"
        self.redirected.append(place)
        return web.Response(status=302, headers={"Location": place})

    def _redeem(self, asked: Asked) -> None:
        granted = self._codes.pop(asked.form.get("code", ""), None)
        digest = hashlib.sha256(asked.form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            granted is None
            or granted.redirect_uri != asked.form.get("redirect_uri")
            or granted.challenge != challenge
        ):
            raise Refused(400, "invalid_grant", "Code not valid")
        self._provider.claims["nonce"] = granted.nonce

    def _poll(self, asked: Asked) -> None:
        if asked.form.get("device_code") != "the-device-code":
            raise Refused(400, "invalid_grant", "Device code not valid")
        error = self.polls.pop(0) if self.polls else self.state_of_device
        if error is not None:
            raise Refused(400, error, "as the test wants it")

    async def _device(self, request: web.Request) -> web.StreamResponse:
        usual = {
            "device_code": "the-device-code",
            "user_code": "WDJB-MJHT",
            "verification_uri": self._provider.issuer + "/device",
            "expires_in": 600,
            "interval": 5,
        }
        said = {k: v for k, v in (usual | self.device).items() if v is not None}
        await self._asked(request)
        reply = self.device_replies.pop(0) if self.device_replies else Reply()
        return await self._provider._reply(request, reply, lambda: Reply(body=said))

    async def _revoke(self, request: web.Request) -> web.StreamResponse:
        form = (await self._asked(request)).form
        self.revoked.append((form["token"], form.get("token_type_hint", "")))
        reply = self.revocation_replies.pop(0) if self.revocation_replies else Reply()
        return await self._provider._reply(request, reply, lambda: Reply(body=b""))

    async def _asked(self, request: web.Request) -> Asked:
        pairs = tuple(parse_qsl(await request.text(), keep_blank_values=True))
        asked = Asked(dict(pairs), pairs, request.headers.copy(), 0.0)
        self._provider._check_client(asked)
        return asked
