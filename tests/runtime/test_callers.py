"""Credentials of which each caller has one: what a reload keeps, and what it begins anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest

from proxy.clock import SystemClock
from proxy.config import model
from proxy.config.load import load
from proxy.errors import CredentialRefused, SecretError
from proxy.runtime.callers import CallerCredentials, by_caller
from proxy.runtime.tls import TlsContexts
from proxy.secret import Secret
from proxy.tokens.ports import Lender
from tests.support.clock import FakeClock
from tests.support.identity_provider import IdentityProvider

FILE = """\
credentials:
  plain: {token_url: "https://p.example/token", client_id: x, client_secret: {env: S}}
  mine:
    token_url: https://p.example/token
    client_id: x
    client_secret: {env: S}
    grant: token_exchange
    subject: request
routes:
  - {path: /, upstream: "https://api.example/", credential: mine}
"""


def nobody(name: str) -> Lender:
    raise AssertionError(name)


@pytest.fixture
async def held() -> AsyncIterator[tuple[CallerCredentials, dict[str, str]]]:
    environ = {"S": "one"}
    made = CallerCredentials(
        environ=environ,
        clock=FakeClock(),
        contexts=TlsContexts(),
        log=lambda _: None,
        lenders=nobody,
    )
    yield made, environ
    await made.close()


def configured(tmp_path: Path) -> dict[str, model.Credential]:
    (tmp_path / "c.yaml").write_text(FILE)
    return dict(load(tmp_path / "c.yaml", {"HOME": str(tmp_path)}).credentials)


Held = tuple[CallerCredentials, dict[str, str]]


async def test_only_those_whose_subject_is_the_request_are_held_here(
    held: Held, tmp_path: Path
) -> None:
    credentials, _ = held
    read = configured(tmp_path)
    assert [name for name, one in read.items() if by_caller(one)] == ["mine"]
    planned = credentials.plan(read)
    assert list(planned) == ["mine"]
    await credentials.adopt(planned)
    (status,) = credentials.statuses()
    assert (status.name, status.callers, status.required) == ("mine", 0, False)


async def test_what_is_unchanged_keeps_its_callers_and_what_changed_begins_anew(
    held: Held, tmp_path: Path
) -> None:
    credentials, _ = held
    read = configured(tmp_path)
    await credentials.adopt(first := credentials.plan(read))
    await credentials.adopt(same := credentials.plan(configured(tmp_path)))
    assert same["mine"].callers is first["mine"].callers
    read["mine"] = replace(read["mine"], scope="other")
    await credentials.adopt(other := credentials.plan(read))
    assert other["mine"].callers is not first["mine"].callers
    with pytest.raises(Exception, match="was replaced"):
        await first["mine"].callers.of(Secret("ann")).acquire(0.0)


async def test_a_secret_that_can_not_be_read_changes_nothing(held: Held, tmp_path: Path) -> None:
    credentials, environ = held
    read = configured(tmp_path)
    await credentials.adopt(credentials.plan(read))
    del environ["S"]
    with pytest.raises(SecretError):
        credentials.plan(read)
    assert len(credentials.statuses()) == 1


async def test_a_changed_secret_gives_those_whom_the_provider_refused_another_chance(
    tmp_path: Path,
) -> None:
    environ = {"S": "wrong"}
    async with IdentityProvider() as provider:
        provider.clients["x"] = "right"
        provider.further_grants["urn:ietf:params:oauth:grant-type:token-exchange"] = lambda _: None
        text = FILE.replace("https://p.example/token", provider.token_url)
        (tmp_path / "c.yaml").write_text(text)
        read = load(tmp_path / "c.yaml", {"HOME": str(tmp_path)}).credentials
        credentials = CallerCredentials(
            environ=environ,
            clock=SystemClock(),
            contexts=TlsContexts(),
            log=lambda _: None,
            lenders=nobody,
        )
        await credentials.adopt(planned := credentials.plan(read))
        ann = planned["mine"].callers.of(Secret("ann"))
        with pytest.raises(CredentialRefused):
            await ann.acquire(5.0)
        environ["S"] = "right"
        await credentials.adopt(credentials.plan(read))
        assert (await ann.acquire(5.0)).value == b"token-1"
        await credentials.close()
