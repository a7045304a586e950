"""A client that signs who it is, or has somebody vouch: judged as a strict provider does."""

from __future__ import annotations

import time
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

from proxy.config.model import (
    EnvSecret,
    FileSecret,
    Grant,
    Signing,
)
from proxy.errors import Failure
from proxy.oauth.authentication import ClientAuthentication
from tests.support.asking import AT, Asking, asking
from tests.support.assertions import Assertions
from tests.support.identity_provider import CLIENT, Asked, Refused

GRANT = Grant.CLIENT_CREDENTIALS
OLD, NEW = RSAKey.generate_key(2048), RSAKey.generate_key(2048)
PRIVATE = ClientAuthentication.PRIVATE_KEY_JWT
SHARED = ClientAuthentication.CLIENT_SECRET_JWT
FEDERATED = ClientAuthentication.FEDERATED


def pem(key: RSAKey | ECKey) -> str:
    return key.as_pem(private=True).decode()


@asynccontextmanager
async def judged(
    how: ClientAuthentication, **keys: Any
) -> AsyncIterator[tuple[Asking, Assertions]]:
    async with asking(GRANT, client_auth=how, discover=True, **keys) as run:
        judge = Assertions(run.clock.wall, run.provider.issuer)
        run.provider.client_judge = judge.client
        yield run, judge


@asynccontextmanager
async def with_file(
    directory: Path, text: str, **keys: Any
) -> AsyncIterator[tuple[Asking, Assertions, Path]]:
    file = directory / "client.key"
    file.write_text(text)
    file.chmod(0o600)
    signing = Signing(FileSecret(file, AT), **keys)
    async with judged(PRIVATE, client_signing=signing) as (run, judge):
        judge.keys[CLIENT[0]] = OLD
        yield run, judge, file


async def test_a_client_secret_signs_and_never_travels() -> None:
    async with judged(SHARED) as (run, judge):
        judge.keys[CLIENT[0]] = OctKey.import_key(CLIENT[1])
        assert await run.obtain()
        assert await run.obtain()
        sent = run.provider.requests[0]
    header, claims = judge.taken[0]
    assert header["alg"] == "HS256"
    assert (claims["iss"], claims["sub"]) == (CLIENT[0], CLIENT[0])
    assert CLIENT[1] not in f"{sent.form} {sent.headers}"
    assert sent.authorization is None


async def test_a_private_key_signs_anew_each_time_for_a_minute(tmp_path: Path) -> None:
    async with with_file(tmp_path, pem(OLD), key_id="k1") as (run, judge, _):
        for _ in range(3):
            await run.obtain()
            await run.clock.advance(5)
    assert len({claims["jti"] for _, claims in judge.taken}) == 3
    header, claims = judge.taken[-1]
    assert (header["alg"], header["kid"]) == ("RS256", "k1")
    assert claims["exp"] - claims["iat"] == 60


async def test_without_an_issuer_the_token_endpoint_is_the_audience() -> None:
    keys = {"client_auth": SHARED}
    async with asking(GRANT, **keys) as run:
        judge = Assertions(run.clock.wall, run.provider.token_url)
        judge.keys[CLIENT[0]] = OctKey.import_key(CLIENT[1])
        run.provider.client_judge = judge.client
        assert await run.obtain()


async def test_a_configured_audience_wins() -> None:
    async with judged(SHARED, assertion_audience="urn:them") as (run, judge):
        judge.keys[CLIENT[0]] = OctKey.import_key(CLIENT[1])
        assert "audience" in str(await run.refused())
        run.provider.client_judge = (other := Assertions(run.clock.wall, "urn:them")).client
        other.keys = judge.keys
        assert await run.obtain()


async def test_a_key_that_changed_here_first_takes_turns_with_the_old_one(tmp_path: Path) -> None:
    async with with_file(tmp_path, pem(OLD)) as (run, judge, file):
        await run.obtain()
        file.write_text(pem(NEW))
        error = await run.refused()
        assert (error.failure, error.error) == (Failure.TRANSIENT, "invalid_client")
        assert await run.obtain()
        judge.keys[CLIENT[0]] = NEW
        assert (await run.refused()).failure is Failure.TRANSIENT
        assert await run.obtain()


async def test_a_secret_that_signs_takes_turns_too() -> None:
    async with judged(SHARED) as (run, judge):
        judge.keys[CLIENT[0]] = OctKey.import_key(CLIENT[1])
        await run.obtain()
        run.environ["CLIENT_SECRET"] = "another secret of the client"
        assert (await run.refused()).failure is Failure.TRANSIENT
        assert await run.obtain()


async def test_a_minute_later_a_refused_key_is_terminal(tmp_path: Path) -> None:
    async with with_file(tmp_path, pem(OLD)) as (run, _, file):
        await run.obtain()
        file.write_text(pem(NEW))
        await run.refused()
        await run.clock.advance(60)
        assert (await run.refused()).failure is Failure.TERMINAL


async def test_a_key_is_parsed_once_as_long_as_it_stays_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    parsed = 0
    parse = RSAKey.import_key

    def counting(*args: Any, **kwargs: Any) -> RSAKey:
        nonlocal parsed
        parsed += 1
        return parse(*args, **kwargs)

    monkeypatch.setattr(RSAKey, "import_key", counting)
    async with with_file(tmp_path, pem(OLD)) as (run, judge, file):
        for _ in range(3):
            await run.obtain()
        file.write_text(pem(NEW))
        await run.refused()
        await run.obtain()  # by the old one, whose turn it is
        judge.keys[CLIENT[0]] = NEW
        await run.refused()
        await run.obtain()
    assert parsed == 2


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("canary", "neither PEM nor a JWK"),
        (pem(ECKey.generate_key("P-256")), "can't sign PS256; set algorithm to ES256"),
    ],
)
async def test_a_key_that_can_not_sign_names_its_file_and_sends_nothing(
    tmp_path: Path, text: str, said: str
) -> None:
    async with with_file(tmp_path, text, algorithm="PS256") as (run, _, file):
        error = await run.refused()
    assert f"the private key in {file} is" in str(error)
    assert said in str(error)
    assert (error.failure, error.reason) == (Failure.TRANSIENT, "secret")
    assert run.provider.asked == 0


async def test_clocks_that_differ_are_named_when_what_we_signed_is_refused(tmp_path: Path) -> None:
    async with with_file(tmp_path, pem(OLD)) as (run, judge, _):
        judge._now = lambda: run.clock.wall() + 300
        run.provider.clock_ahead = run.clock.wall() + 300 - time.time()
        error = await run.refused()
    assert "its clock is 30" in str(error)
    assert "s ahead of ours" in str(error)
    assert "set the clock that is wrong" in str(error)


VOUCHER = RSAKey.generate_key(2048)


def vouched(run: Asking, *, lives: float = 600, number: int = 1) -> str:
    now = int(run.clock.wall())
    claims = {
        "iss": "https://cluster",
        "sub": "system:serviceaccount:a:b",
        "aud": run.provider.issuer,
        "iat": now,
        "exp": now + int(lives),
        "jti": str(number),
    }
    return jwt.encode({"alg": "RS256"}, claims, VOUCHER)


@asynccontextmanager
async def federated(directory: Path) -> AsyncIterator[tuple[Asking, Path]]:
    file = directory / "idp"
    keys = {"client_id": None, "client_secret": None, "client_assertion": FileSecret(file, AT)}
    async with judged(FEDERATED, **keys) as (run, judge):
        judge.keys["https://cluster"] = VOUCHER
        judge.subjects.add("system:serviceaccount:a:b")
        judge.longest = 3600
        yield run, file


async def test_an_assertion_of_somebody_else_s_is_read_anew_each_time(tmp_path: Path) -> None:
    async with federated(tmp_path) as (run, file):
        for number in range(3):
            file.write_text(vouched(run, number=number))
            await run.obtain()
    assert len({one.form["client_assertion"] for one in run.provider.requests}) == 3
    assert all("client_id" not in one.form for one in run.provider.requests)


async def test_one_that_nobody_renewed_is_named_with_its_file(tmp_path: Path) -> None:
    async with federated(tmp_path) as (run, file):
        file.write_text(vouched(run, lives=10))
        await run.clock.advance(40)
        error = await run.refused()
        assert f"the client assertion in {file} ended 30 s ago and is not renewed" in str(error)
        assert (error.failure, error.reason) == (Failure.TRANSIENT, "presented_expired")
        file.write_text(vouched(run))
        assert await run.obtain()


async def test_one_that_is_refused_for_another_reason_is_terminal(tmp_path: Path) -> None:
    async with federated(tmp_path) as (run, file):
        file.write_text(vouched(run))
        await run.obtain()
        error = await run.refused()
    assert error.failure is Failure.TERMINAL
    assert "reuse" in str(error)


async def test_a_missing_one_sends_nothing(tmp_path: Path) -> None:
    async with federated(tmp_path) as (run, file):
        error = await run.refused()
    assert str(file) in str(error)
    assert run.provider.asked == 0


def echo(asked: Asked) -> None:
    raise Refused(400, "invalid_client", f"not {asked.form['client_assertion']}")


@pytest.mark.parametrize("how", [SHARED, FEDERATED])
async def test_no_assertion_or_secret_shows_whatever_the_provider_repeats(
    how: ClientAuthentication,
) -> None:
    keys: dict[str, Any] = {"client_assertion": EnvSecret("ASSERTION", AT)}
    async with asking(GRANT, client_auth=how, **(keys if how is FEDERATED else {})) as run:
        run.environ |= {"CLIENT_SECRET": "canary-secret", "ASSERTION": "canary.canary.canary"}
        run.provider.client_judge = echo
        error = await run.refused()
        sent = run.provider.requests[0].form["client_assertion"]
    shown = f"{error} {error!r} {vars(error)}" + "".join(traceback.format_exception(error))
    assert sent not in shown
    assert "canary" not in shown
