"""A command asks for a token: the sidecar, else the store, else the provider."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

import pytest

from proxy.client import index
from proxy.client.running import Lent
from proxy.config.model import Config
from proxy.errors import (
    ConfigurationError,
    SecretError,
    StoreError,
    TokenRequestError,
    UnlendableError,
)
from proxy.runtime.lending_out import Lending, lent
from proxy.secrets import keyring
from tests.support.identity_provider import CLIENT, IdentityProvider, Reply

T = TypeVar("T")
FILE = "store: {file: tokens, encryption_key: {env: STORE_KEY}}"


@dataclass
class Machine:
    """A home with a configuration in it, and a provider."""

    home: Path
    provider: IdentityProvider
    environ: dict[str, str]
    told: list[str] = field(default_factory=list)

    @property
    def config(self) -> Path:
        return self.home / "config.yaml"

    def write(self, store: str = FILE, *, credential: str = "", more: str = "") -> None:
        self.config.write_text(f"""\
{store}
credentials:
  api:
    token_url: {self.provider.token_url}
    client_id: {CLIENT[0]}
    client_secret: {{env: API_SECRET}}
{credential}
{more}
routes: [{{upstream: "https://api.example/", credential: api}}]
""")

    async def token(self, name: str = "api", min_ttl: float = 0.0) -> Lent:
        return await self.now(
            lambda: lent(self.config, name, self.environ, min_ttl=min_ttl, tell=self.told.append)
        )

    async def refreshed(self, name: str = "api") -> Lent:
        return await self.now(
            lambda: Lending(self.config, self.environ, self.told.append).refreshed(name)
        )

    async def now(self, work: Callable[[], T]) -> T:
        return await asyncio.to_thread(work)


@pytest.fixture
async def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Machine]:
    monkeypatch.setattr(index, "SETTLED", -60.0)  # the index is kept of files written just now
    environ = {
        "HOME": str(tmp_path),
        "XDG_RUNTIME_DIR": str(tmp_path),
        "API_SECRET": CLIENT[1],
        "STORE_KEY": "00" * 32,
    }
    async with IdentityProvider() as provider:
        made = Machine(tmp_path, provider, environ)
        made.write()
        yield made


async def test_the_second_command_finds_in_the_store_what_the_first_got(machine: Machine) -> None:
    first, second = await machine.token(), await machine.token()
    assert first.token == second.token
    assert (second.field, second.generation, second.cookie) == ("access_token", 1, False)
    assert second.expires_in == pytest.approx(60, abs=5)
    assert machine.provider.asked == 1
    assert machine.told == []


@pytest.mark.parametrize(
    "store",
    [
        "store: {file: tokens, encryption_key: {env: STORE_KEY}}",
        "store: {file: tokens, encryption_key: {file: key.txt}}",
        "store: file",
    ],
)
async def test_the_second_command_reads_no_configuration(
    machine: Machine, store: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (machine.home / "key.txt").write_text("00" * 32)
    (machine.home / "key.txt").chmod(0o600)
    monkeypatch.setattr(keyring, "usable", lambda: False)
    machine.write(store)
    first = await machine.token()

    def found() -> tuple[Lent, Config | None]:
        lending = Lending(machine.config, machine.environ, machine.told.append)
        return lending.token("api"), lending._config

    second, config = await machine.now(found)
    assert second.token == first.token
    assert config is None


async def test_a_key_in_the_configuration_itself_is_kept_nowhere_else(machine: Machine) -> None:
    machine.write('store: {file: tokens, encryption_key: "' + "ab" * 32 + '"}')
    first, second = await machine.token(), await machine.token()
    assert first.token == second.token
    (kept,) = (machine.home / ".cache" / "token-sidecar").iterdir()
    assert "abab" not in kept.read_text()


async def test_a_damaged_entry_is_set_aside_and_asked_for_anew(machine: Machine) -> None:
    await machine.token()
    (entry,) = (machine.home / "tokens").glob("*.entry")
    entry.write_bytes(entry.read_bytes()[:-1])
    assert (await machine.token()).generation == 1
    assert machine.provider.asked == 2
    assert "was damaged: it is set aside" in machine.told[0]


async def test_another_key_is_told_and_not_written_over(machine: Machine) -> None:
    await machine.token()
    machine.environ["STORE_KEY"] = "11" * 32
    with pytest.raises(StoreError, match="another key"):
        await machine.token()


async def test_many_at_once_cause_one_token_request(machine: Machine) -> None:
    machine.provider.script.append(Reply(delay=0.3))
    tokens = await asyncio.gather(*(machine.token() for _ in range(4)))
    assert len({one.token.reveal() for one in tokens}) == 1
    assert machine.provider.asked == 1


async def test_a_refresh_asks_whatever_the_store_has(machine: Machine) -> None:
    await machine.token()
    assert (await machine.refreshed()).generation == 2
    assert (await machine.token()).generation == 2


async def test_in_memory_a_token_is_had_and_kept_nowhere(machine: Machine) -> None:
    machine.write("store: memory")
    assert (await machine.token()).token != (await machine.token()).token
    assert machine.provider.asked == 2


async def test_a_refresh_token_is_not_spent_for_nothing(machine: Machine) -> None:
    machine.environ["FIRST"] = "first"
    machine.write(
        "store: memory", credential="    grant: refresh_token\n    refresh_token: {env: FIRST}"
    )
    with pytest.raises(ConfigurationError, match="kept nowhere"):
        await machine.token()
    assert machine.provider.asked == 0


async def test_a_token_of_its_own_is_what_a_credential_must_have(machine: Machine) -> None:
    exchange = "    grant: token_exchange\n    subject: request"
    machine.write(credential=exchange)
    with pytest.raises(UnlendableError, match="for each caller"):
        await machine.token()


async def test_a_mistyped_name_gets_the_right_one(machine: Machine) -> None:
    with pytest.raises(UnlendableError, match=r"no credential apo .*did you mean api\?"):
        await machine.token("apo")
    with pytest.raises(UnlendableError, match="there are: api"):
        await machine.token("quite-another")


async def test_one_that_exchanges_anothers_token_gets_that_first(machine: Machine) -> None:
    machine.write(
        more=f"""\
  exchanged:
    token_url: {machine.provider.token_url}
    client_id: {CLIENT[0]}
    client_secret: {{env: API_SECRET}}
    grant: token_exchange
    subject: {{credential: api}}
"""
    )
    machine.provider.further_grants["urn:ietf:params:oauth:grant-type:token-exchange"] = lambda _: (
        None
    )
    await machine.token("exchanged")
    asked = [one.form.get("subject_token") for one in machine.provider.requests]
    assert asked == [None, machine.provider.issued[0]]
    assert (await machine.token("api")).token.reveal() == machine.provider.issued[0]


async def test_what_fails_is_told_as_what_it_is(machine: Machine) -> None:
    machine.provider.script.append(Reply(401, {"error": "invalid_client"}))
    with pytest.raises(TokenRequestError, match="invalid_client"):
        await machine.token()
    del machine.environ["API_SECRET"]
    with pytest.raises(SecretError, match="API_SECRET"):
        await machine.token()
    (machine.home / "tokens").chmod(0o755)
    with pytest.raises(StoreError, match="chmod 700"):
        await machine.token()
