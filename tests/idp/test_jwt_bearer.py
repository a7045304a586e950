"""A token for an assertion about somebody: a ready one, or one that is signed here."""

from __future__ import annotations

import time
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from joserfc.jwk import ECKey

from proxy.config.model import EnvSecret, FileSecret, Grant, Signing
from proxy.errors import Failure
from proxy.oauth.authentication import ClientAuthentication
from proxy.oauth.exchange import JWT_BEARER
from proxy.secret import Secret
from proxy.tokens.token import RefreshToken
from tests.support.answers import unsigned
from tests.support.asking import AT, Asking, asking
from tests.support.assertions import Assertions
from tests.support.identity_provider import CLIENT, Asked, Refused

OLD, NEW = ECKey.generate_key("P-256"), ECKey.generate_key("P-256")
GRANT = Grant.JWT_BEARER


def pem(key: ECKey) -> str:
    return key.as_pem(private=True).decode()


@asynccontextmanager
async def signing(
    directory: Path, claims: dict[str, object], **keys: Any
) -> AsyncIterator[tuple[Asking, Assertions, Path]]:
    file = directory / "key.pem"
    file.write_text(pem(OLD))
    with_key = Signing(FileSecret(file, AT), claims=claims)
    async with asking(GRANT, discover=True, signing=with_key, **keys) as run:
        judge = Assertions(run.clock.wall, run.provider.issuer)
        judge.keys["robot"] = judge.keys[CLIENT[0]] = OLD
        judge.longest = 300
        run.provider.further_grants[JWT_BEARER] = judge.grant
        yield run, judge, file


async def test_an_assertion_is_signed_anew_with_what_is_configured(tmp_path: Path) -> None:
    claims = {"iss": "robot", "sub": "mary", "tenant": {"id": 7}}
    async with signing(tmp_path, claims, scope="read") as (run, judge, _):
        run.provider.refresh_lifetime = 0
        for _ in range(3):
            assert await run.obtain()
    header, said = judge.taken[0]
    assert header == {"alg": "ES256", "typ": "JWT"}
    assert (said["sub"], said["tenant"]) == ("mary", {"id": 7})
    assert run.provider.grants == [JWT_BEARER] * 3
    assert run.provider.requests[0].form["scope"] == "read"


async def test_the_client_issues_it_for_the_provider_unless_told_otherwise(tmp_path: Path) -> None:
    async with signing(tmp_path, {"sub": "mary"}) as (run, judge, _):
        await run.obtain()
        assert judge.taken[0][1]["iss"] == CLIENT[0]
    async with signing(tmp_path, {"iss": "robot", "aud": "urn:them"}) as (run, judge, _):
        assert "audience" in str(await run.refused())


async def test_no_client_has_to_be_known(tmp_path: Path) -> None:
    keys = {"client_id": None, "client_secret": None, "client_auth": ClientAuthentication.NONE}
    async with signing(tmp_path, {"iss": "robot"}, **keys) as (run, _, __):
        run.provider.clients[""] = None
        await run.obtain()
    assert "client_id" not in run.provider.requests[0].form


async def test_with_a_key_that_changed_just_now_both_are_tried_at_once(tmp_path: Path) -> None:
    async with signing(tmp_path, {"iss": "robot"}) as (run, judge, file):
        await run.obtain()
        file.write_text(pem(NEW))
        assert await run.obtain()
        assert run.provider.asked == 3
        judge.keys["robot"] = NEW
        assert await run.obtain()
        await run.clock.advance(60)
        assert await run.obtain()
        judge.keys["robot"] = OLD
        assert (await run.refused()).failure is Failure.TERMINAL


async def test_clocks_that_differ_are_named(tmp_path: Path) -> None:
    async with signing(tmp_path, {"iss": "robot"}) as (run, judge, _):
        judge._now = lambda: run.clock.wall() - 400
        run.provider.clock_ahead = run.clock.wall() - 400 - time.time()
        assert "s behind ours" in str(await run.refused())


@asynccontextmanager
async def ready(**keys: Any) -> AsyncIterator[Asking]:
    async with asking(GRANT, assertion=EnvSecret("ASSERTION", AT), **keys) as run:
        run.provider.further_grants[JWT_BEARER] = lambda _: None
        run.environ["ASSERTION"] = "ready"
        yield run


async def test_a_ready_one_is_sent_as_it_is_and_then_its_refresh_token() -> None:
    async with ready() as run:
        run.provider.refresh_lifetime = 0
        await run.obtain()
        await run.obtain()
        run.environ["ASSERTION"] = "newer"
        await run.obtain()
    assert run.provider.grants == [JWT_BEARER, "refresh_token", JWT_BEARER]
    assert [one.form.get("assertion") for one in run.provider.requests] == ["ready", None, "newer"]


async def test_one_that_has_ended_is_no_reason_to_lose_the_session() -> None:
    async with ready() as run:
        run.environ["ASSERTION"] = unsigned(exp=run.clock.wall() - 1)
        run.held = RefreshToken(Secret(run.provider.accept_refresh_token("held")))
        await run.obtain()
    assert run.provider.grants == ["refresh_token"]


def echo(asked: Asked) -> None:
    raise Refused(400, "invalid_grant", f"not {asked.form['assertion']}")


@pytest.mark.parametrize("ends", [-30, 600])
async def test_a_refused_one_is_explained_and_not_shown(ends: float) -> None:
    async with ready() as run:
        run.provider.further_grants[JWT_BEARER] = echo
        assertion = unsigned(exp=run.clock.wall() + ends, sub="canary")
        run.environ["ASSERTION"] = assertion
        error = await run.refused()
    assert assertion not in f"{vars(error)}" + "".join(traceback.format_exception(error))
    if ends < 0:
        assert "the assertion in environment variable ASSERTION ended 30 s ago" in str(error)
        assert error.failure is Failure.TRANSIENT
    else:
        assert error.failure is Failure.TERMINAL
