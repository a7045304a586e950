"""A token for another one: whose it is, when it is presented again, and when refreshed instead."""

from __future__ import annotations

import time
import traceback
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from proxy.config.model import (
    Credential,
    EnvSecret,
    FileSecret,
    FromCredential,
    FromRequest,
    Grant,
    PlainSecret,
    Provider,
)
from proxy.errors import CredentialRefused, CredentialUnavailable, Failure, TokenRequestError
from proxy.idp.sources import caller_sources
from proxy.net.carrier import Carrier
from proxy.oauth.authentication import ClientAuthentication
from proxy.oauth.exchange import ACCESS_TOKEN, TOKEN_EXCHANGE, type_uri
from proxy.secret import Secret
from proxy.secrets.references import Direct
from proxy.tokens.lease import Lease
from proxy.tokens.ports import CallerSources
from proxy.tokens.session import Session
from proxy.tokens.token import RefreshToken
from tests.support.answers import unsigned
from tests.support.asking import AT, Asking, asking
from tests.support.clock import FakeClock
from tests.support.identity_provider import CLIENT, Asked, IdentityProvider, Refused, Reply

SUBJECT = EnvSecret("SUBJECT", AT)


class Known:
    """Judges subjects as Keycloak does: those that it does not know are an invalid_request."""

    def __init__(self, *good: str) -> None:
        self.good = set(good)

    def __call__(self, asked: Asked) -> None:
        if asked.form.get("subject_token") not in self.good:
            raise Refused(400, "invalid_request", "Invalid token")


class Other:
    """Another credential, as a ``Lender``: ``values`` one after the other, the next by reject."""

    def __init__(self, *values: str | CredentialUnavailable, **lease: Any) -> None:
        self.values = list(values)
        self.generation = 1
        self.rejected: list[int] = []
        self._more = lease

    def current(self) -> Lease | None:
        return None

    async def acquire(self, hold: float) -> Lease:
        assert hold > 0
        value = self.values[0]
        if isinstance(value, CredentialUnavailable):
            raise value
        return Lease(self.generation, value.encode(), **{"field": "access_token", **self._more})

    async def reject(self, generation: int, hold: float) -> Lease | None:
        self.rejected.append(generation)
        if len(self.values) == 1:
            return None
        self.values.pop(0)
        self.generation += 1
        return await self.acquire(hold)


@asynccontextmanager
async def exchanging(*good: str, **keys: Any) -> AsyncIterator[tuple[Asking, Known]]:
    async with asking(Grant.TOKEN_EXCHANGE, **{"subject": SUBJECT, **keys}) as run:
        run.environ["SUBJECT"] = "mary"
        known = run.provider.further_grants[TOKEN_EXCHANGE] = Known("mary", *good)
        yield run, known


def sent(run: Asking, name: str = "subject_token") -> list[str | None]:
    return [one.form.get(name) for one in run.provider.requests]


async def test_the_subject_is_exchanged_and_read_anew_each_time() -> None:
    wished = {"audience": ("a", "b"), "resource": ("https://r/1", "https://r/2"), "scope": "read"}
    async with exchanging("john", **wished) as (run, _):
        assert (await run.obtain()).value.reveal() == "token-1"
        run.environ["SUBJECT"] = "john"
        await run.obtain()
    assert sent(run) == ["mary", "john"]
    pairs = run.provider.requests[0].pairs
    assert [value for name, value in pairs if name in {"audience", "resource"}] == [
        "a",
        "b",
        "https://r/1",
        "https://r/2",
    ]
    assert sent(run, "subject_token_type") == [ACCESS_TOKEN] * 2


async def test_actor_and_types_go_along() -> None:
    keys = {"actor": PlainSecret(Secret("robot"), AT), "subject_type": "id_token"}
    async with exchanging(**keys, requested_type="urn:x:y") as (run, _):
        run.provider.extra = {"token_type": "N_A", "issued_token_type": "urn:x:y"}
        await run.obtain()
    form = run.provider.requests[0].form
    assert (form["actor_token"], form["actor_token_type"]) == ("robot", ACCESS_TOKEN)
    assert form["subject_token_type"] == type_uri("id_token")
    assert form["requested_token_type"] == "urn:x:y"


async def test_an_actor_may_be_of_a_type_that_does_not_show() -> None:
    actor = PlainSecret(Secret("robot"), AT)
    async with exchanging(actor=actor, actor_type=type_uri("jwt")) as (run, _):
        await run.obtain()
    assert sent(run, "actor_token_type") == [type_uri("jwt")]


async def test_a_token_of_another_type_than_requested_is_not_used() -> None:
    async with exchanging(requested_type="jwt") as (run, _):
        run.provider.extra = {"issued_token_type": ACCESS_TOKEN}
        assert (await run.refused()).reason == "issued_token_type"


async def test_while_the_subject_stays_the_same_the_refresh_token_serves() -> None:
    async with exchanging(audience=("a",)) as (run, _):
        run.provider.refresh_lifetime = 0
        for _ in range(3):
            await run.obtain()
    assert run.provider.grants == [TOKEN_EXCHANGE, "refresh_token", "refresh_token"]
    assert sent(run, "audience") == ["a"] * 3


async def test_another_subject_is_exchanged_and_the_first_one_s_refresh_token_forgotten() -> None:
    async with exchanging("john") as (run, _):
        run.provider.refresh_lifetime = 0
        await run.obtain()
        run.environ["SUBJECT"] = "john"
        run.provider.refresh_lifetime = None
        await run.obtain()
        await run.obtain()
    assert run.held is None
    assert run.kept == [None]
    assert sent(run) == ["mary", "john", "john"]


async def test_what_was_held_before_the_start_waits_for_a_first_exchange() -> None:
    async with exchanging() as (run, _):
        run.held = RefreshToken(Secret(run.provider.accept_refresh_token("old")))
        await run.obtain()
    assert run.provider.grants == [TOKEN_EXCHANGE]


@pytest.mark.parametrize("subject", [None, "ended"])
async def test_when_the_subject_has_ended_or_is_gone_the_refresh_token_serves(
    subject: str | None,
) -> None:
    async with exchanging() as (run, _):
        run.held = RefreshToken(Secret(run.provider.accept_refresh_token("held")))
        del run.environ["SUBJECT"]
        if subject:
            run.environ["SUBJECT"] = unsigned(exp=run.clock.wall() - 1)
        assert await run.obtain()
    assert run.provider.grants == ["refresh_token"]


async def test_without_either_nothing_is_sent() -> None:
    async with exchanging() as (run, _):
        del run.environ["SUBJECT"]
        error = await run.refused()
    assert "SUBJECT is not set" in str(error)
    assert run.provider.asked == 0


async def test_a_dead_refresh_token_is_forgotten_and_the_subject_exchanged() -> None:
    async with exchanging() as (run, _):
        run.provider.refresh_lifetime = 0
        await run.obtain()
        run.provider.revoke_refresh_tokens()
        await run.obtain()
    assert run.provider.grants == [TOKEN_EXCHANGE, "refresh_token", TOKEN_EXCHANGE]
    assert run.kept == [None]


async def test_a_refresh_that_lacks_the_field_is_followed_by_an_exchange() -> None:
    async with exchanging(use=("id_token",)) as (run, _):
        run.provider.refresh_lifetime = 0
        run.provider.id_token, run.provider.id_token_on_refresh = True, False
        for _ in range(2):
            assert (await run.obtain()).field == "id_token"
    assert run.provider.grants == [TOKEN_EXCHANGE, "refresh_token", TOKEN_EXCHANGE]


async def test_a_subject_that_nobody_renewed_is_named_with_its_file(tmp_path: Path) -> None:
    async with exchanging(subject=FileSecret(tmp_path / "mary", AT)) as (run, _):
        (tmp_path / "mary").write_text(unsigned(exp=run.clock.wall() - 30))
        error = await run.refused()
    assert f"the subject in {tmp_path / 'mary'} ended 30 s ago" in str(error)
    assert "invalid_request" in str(error)
    assert error.failure is Failure.TRANSIENT


# Another credential


@asynccontextmanager
async def borrowing(other: Other, *good: str, **keys: Any) -> AsyncIterator[tuple[Asking, Known]]:
    def lenders(name: str) -> Other:
        assert name == "person"
        return other

    keys = {"subject": FromCredential("person"), "lenders": lenders, **keys}
    async with exchanging(*good, **keys) as found:
        yield found


async def test_another_credential_s_token_is_exchanged_whatever_it_is_by_then() -> None:
    other = Other("mary")
    async with borrowing(other, "mary-2") as (run, _):
        run.provider.refresh_lifetime = 0
        await run.obtain()
        other.values = ["mary-2"]
        await run.obtain()
    assert sent(run) == ["mary", "mary-2"]


async def test_its_failure_is_told_as_its_own_and_tried_again_soon() -> None:
    refusal = CredentialRefused(
        "credential person: the account is locked",
        credential="person",
        retry_after=300,
        error="invalid_grant",
    )
    async with borrowing(Other(refusal)) as (run, _):
        error = await run.refused()
    assert "another credential" in str(error)
    assert "credential person: the account is locked" in str(error)
    assert (error.failure, error.reason) == (Failure.TRANSIENT, "other_credential")
    assert error.error is None
    assert run.provider.asked == 0


async def test_a_token_that_the_provider_refuses_is_renewed_where_it_comes_from() -> None:
    other = Other("revoked", "mary")
    async with borrowing(other) as (run, _):
        assert await run.obtain()
    assert sent(run) == ["revoked", "mary"]
    assert other.rejected == [1]


async def test_a_refusal_that_a_new_token_does_not_mend_renews_no_further_one() -> None:
    other = Other("a", "b", "c", "mary")
    async with borrowing(other) as (run, known):
        for _ in range(3):
            assert (await run.refused()).failure is Failure.SLOW
        assert other.rejected == [1]
        known.good.add("b")
        await run.obtain()
        known.good = {"c"}
        await run.obtain()
    assert other.rejected == [1, 2]


async def test_a_lent_id_token_says_that_it_is_one_and_a_session_is_none() -> None:
    async with borrowing(Other("mary", field="id_token"), actor=FromCredential("person")) as (
        run,
        _,
    ):
        await run.obtain()
        assert sent(run, "actor_token_type") == [type_uri("id_token")]
    async with borrowing(Other("mary", session=Session(frozenset({"c"})))) as (run, _):
        error = await run.refused()
        assert "is a session: its cookies are no token" in str(error)
        assert run.provider.asked == 0


# Callers


@asynccontextmanager
async def callers(**keys: Any) -> AsyncIterator[tuple[IdentityProvider, CallerSources, FakeClock]]:
    async with IdentityProvider() as provider:
        carrier = Carrier(clock=(clock := FakeClock()))
        credential = Credential(
            "a",
            AT,
            grant=Grant.TOKEN_EXCHANGE,
            provider=Provider(token_url=provider.token_url),
            client_id=CLIENT[0],
            client_secret=PlainSecret(Secret(CLIENT[1]), AT),
            client_auth=ClientAuthentication.POST,
            subject=FromRequest(),
            **keys,
        )
        provider.further_grants[TOKEN_EXCHANGE] = lambda _: None
        sources = caller_sources(credential, sender=carrier, secrets=Direct({}), clock=clock)
        yield provider, sources, clock
        await carrier.close()


async def nothing(_: RefreshToken | None) -> None:
    """Keep nothing."""


async def test_each_caller_has_tokens_of_their_own_that_end_with_theirs() -> None:
    async with callers() as (provider, sources, clock):
        provider.refresh_lifetime = 0
        provider.clock_ahead = clock.wall() - time.time()
        brief = unsigned(exp=clock.wall() + 20)
        token = await sources(Secret(brief)).obtain(None, nothing)
        other = await sources(Secret("opaque")).obtain(None, nothing)
    assert token.lifetime is not None
    assert 18 < token.lifetime <= 21
    assert other.lifetime == 60
    assert token.refresh is None
    assert [one.form["subject_token"] for one in provider.requests] == [brief, "opaque"]


async def test_a_caller_s_refused_token_is_told_without_it() -> None:
    async with callers() as (provider, sources, clock):
        provider.further_grants[TOKEN_EXCHANGE] = Known()
        bearer = unsigned(exp=clock.wall() - 5, sub="canary")
        with pytest.raises(TokenRequestError, match="token that the caller sent ended 5 s") as one:
            await sources(Secret(bearer)).obtain(None, nothing)
    assert bearer not in "".join(traceback.format_exception(one.value))


@pytest.mark.parametrize("field", ["subject", "actor"])
async def test_neither_subject_nor_actor_shows_whatever_the_provider_repeats(field: str) -> None:
    keys = {field: EnvSecret("CANARY", AT)}
    async with exchanging("canary-1", **keys) as (run, _):
        run.environ["CANARY"] = "canary-1"
        run.provider.otherwise = Reply(
            400, {"error": "invalid_request", "error_description": "not canary-1"}
        )
        error = await run.refused()
    shown = f"{error!r} {vars(error)}" + "".join(traceback.format_exception(error))
    assert "canary" not in shown
