"""A client that is known by its certificate: RFC 8705 section 2, over real TLS."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from proxy.config.model import Credential, Provider
from proxy.errors import Failure, TokenRequestError
from proxy.idp.sources import token_source
from proxy.net.carrier import Carrier
from proxy.oauth.authentication import ClientAuthentication
from proxy.secrets.references import Direct
from proxy.tokens.ports import TokenSource
from proxy.tokens.token import RefreshToken
from tests.support.asking import AT
from tests.support.certificates import Authority
from tests.support.clock import FakeClock
from tests.support.identity_provider import Asked, IdentityProvider, Refused

REGISTERED = "registered"


def judge(asked: Asked) -> None:
    if (asked.certificate, asked.form.get("client_id")) != (REGISTERED, "me"):
        raise Refused(401, "invalid_client", f"Not {asked.certificate}")


@asynccontextmanager
async def provider(authority: Authority) -> AsyncIterator[IdentityProvider]:
    context = authority.server_context(authority.issue("127.0.0.1"))
    context.load_verify_locations(authority.ca_file)
    context.verify_mode = ssl.CERT_OPTIONAL
    async with IdentityProvider(tls=context) as started:
        started.client_judge = judge
        yield started


@asynccontextmanager
async def source(where: Provider, tls: ssl.SSLContext) -> AsyncIterator[TokenSource]:
    carrier = Carrier(clock=(clock := FakeClock()), tls=tls)
    credential = Credential(
        "a", AT, provider=where, client_id="me", client_auth=ClientAuthentication.TLS
    )
    yield token_source(credential, sender=carrier, secrets=Direct({}), clock=clock)
    await carrier.close()


async def nothing(_: RefreshToken | None) -> None:
    """Keep nothing."""


async def test_the_certificate_proves_the_client_and_the_form_names_it(tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    async with (
        provider(authority) as asked,
        source(
            Provider(token_url=asked.token_url),
            authority.client_context(authority.issue(REGISTERED)),
        ) as tokens,
    ):
        assert await tokens.obtain(None, nothing)
        (one,) = asked.requests
        assert one.form["client_id"] == "me"
        assert one.authorization is None
        assert not {"client_secret", "client_assertion"} & one.form.keys()


@pytest.mark.parametrize("name", [None, "another"])
async def test_without_the_right_one_the_provider_refuses(tmp_path: Path, name: str | None) -> None:
    authority = Authority(tmp_path)
    pair = None if name is None else authority.issue(name)
    async with (
        provider(authority) as asked,
        source(Provider(token_url=asked.token_url), authority.client_context(pair)) as tokens,
    ):
        with pytest.raises(TokenRequestError, match=f"invalid_client .Not {name}") as caught:
            await tokens.obtain(None, nothing)
        assert caught.value.failure is Failure.TERMINAL


@pytest.mark.parametrize("auth", [ClientAuthentication.TLS, ClientAuthentication.NONE])
async def test_the_alias_for_certificates_is_asked_by_who_shows_one_as_proof(
    tmp_path: Path, auth: ClientAuthentication
) -> None:
    authority = Authority(tmp_path)
    context = authority.client_context(authority.issue(REGISTERED))
    async with provider(authority) as usual, provider(authority) as alias:
        usual.document = {"mtls_endpoint_aliases": {"token_endpoint": alias.token_url}}
        carrier = Carrier(clock=(clock := FakeClock()), tls=context)
        where = Provider(issuer=usual.issuer)
        credential = Credential("a", AT, provider=where, client_id="me", client_auth=auth)
        tokens = token_source(credential, sender=carrier, secrets=Direct({}), clock=clock)
        await tokens.obtain(None, nothing)
        assert (usual.asked, alias.asked) == (
            (0, 1) if auth is ClientAuthentication.TLS else (1, 0)
        )
        await carrier.close()
