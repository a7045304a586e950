"""Secrets in Vault, against what its HTTP API's documentation says that it answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from proxy.clock import SystemClock
from proxy.config import model
from proxy.config.model import EnvSecret, FileSecret, Position, VaultAppRole, VaultKubernetes
from proxy.errors import SecretError, SecretUnavailableError
from proxy.net.carrier import Carrier
from proxy.net.trust import Trust
from proxy.runtime.vaults import Vaults
from proxy.secrets.references import Direct
from proxy.secrets.vault.reader import VaultReader
from tests.support.certificates import Authority
from tests.support.clock import FakeClock
from tests.support.vault import ROOT, Vault

AT = Position("c.yaml", 1, 1)
WITH_TOKEN = model.VaultToken(EnvSecret("TOKEN", AT))


@dataclass(slots=True)
class Reading:
    """A reader, the Vault that it reads from, and the time of both."""

    vault: Vault
    clock: FakeClock
    carrier: Carrier
    environ: dict[str, str]
    reader: VaultReader

    def by(self, login: model.VaultToken | VaultKubernetes | VaultAppRole, **more: str) -> None:
        """Log in another way from now on."""
        place = model.Vault(self.vault.url, login, **more)  # type: ignore[arg-type]
        self.reader = VaultReader(place, Direct(self.environ), self.clock)

    async def read(self, path: str = "secret/api", key: str = "password") -> str:
        return (await self.reader.read(path, key, self.carrier)).reveal()

    async def refused(self, path: str = "secret/api", key: str = "password") -> str:
        """Why it can't be read now and won't by itself."""
        with pytest.raises(SecretError) as caught:
            await self.read(path, key)
        assert not isinstance(caught.value, SecretUnavailableError)
        assert "canary" not in str(caught.value)
        return str(caught.value)

    async def unavailable(self) -> str:
        """Why it can't be read at this moment."""
        with pytest.raises(SecretUnavailableError) as caught:
            await self.read()
        assert "canary" not in str(caught.value)
        return str(caught.value)

    async def pass_by(self, seconds: float) -> None:
        """Let time pass, and the token be tended as it wants to be."""
        end = self.clock.monotonic() + seconds
        while True:
            wait = await self.reader.tend(self.carrier)
            left = end - self.clock.monotonic()
            if wait >= left:
                await self.clock.advance(left)
                return
            await self.clock.advance(wait)


@pytest.fixture
async def reading() -> AsyncIterator[Reading]:
    clock = FakeClock()
    async with Vault(now=clock.monotonic) as vault:
        vault.kv("secret")
        vault.put("secret/api", password="canary-1")
        carrier = Carrier(clock=clock)
        made = Reading(vault, clock, carrier, {"TOKEN": ROOT}, None)  # type: ignore[arg-type]
        made.by(WITH_TOKEN)
        yield made
        await made.carrier.close()


@pytest.mark.parametrize("version", [1, 2])
async def test_a_field_is_read_from_either_version(reading: Reading, version: int) -> None:
    reading.vault.kv("team/kv", version)
    reading.vault.put("team/kv/a/b", password="s3cret")
    assert await reading.read("team/kv/a/b") == "s3cret"
    assert await reading.read("team/kv/a/b") == "s3cret"
    asked = [one for one in reading.vault.asked if "mounts" in one]
    assert len(asked) == 1, "where it is was asked for again"


@pytest.mark.parametrize("version", [1, 2])
async def test_a_policy_that_hides_the_mount_still_lets_it_be_read(
    reading: Reading, version: int
) -> None:
    reading.vault.kv("open", version)
    reading.vault.put("open/api", password="s3cret")
    reading.vault.hidden = True
    assert await reading.read("open/api") == "s3cret"


async def test_a_mount_that_was_made_anew_in_another_version_is_found(reading: Reading) -> None:
    await reading.read()
    reading.vault.kv("secret", 1)
    reading.vault.secrets.clear()
    reading.vault.put("secret/api", password="s3cret")
    assert "has no secret secret/api" in await reading.refused()
    assert await reading.read() == "s3cret"


async def test_what_is_missing_is_named(reading: Reading) -> None:
    assert "no secret secret/other" in await reading.refused("secret/other")
    assert "no field key" in await reading.refused(key="key")
    assert "without data/" in await reading.refused("secret/data/api")
    reading.vault.put("secret/api", password=["canary"])
    assert "is no text" in await reading.refused()
    reading.vault.delete("secret/api")
    assert "was deleted" in await reading.refused()


async def test_an_engine_that_makes_secrets_is_not_read(reading: Reading) -> None:
    reading.vault.mounts["database/"] = {"type": "database", "options": None}
    assert "engine of type database" in await reading.refused("database/creds/api")
    assert not [one for one in reading.vault.asked if "creds" in one.split("mounts")[0]]


async def test_a_namespace_goes_along(reading: Reading) -> None:
    reading.vault.namespace = "team-a"
    assert "no secret" in await reading.refused()
    reading.by(WITH_TOKEN, namespace="team-a")
    assert await reading.read() == "canary-1"


async def test_a_pod_logs_in_with_its_service_account(reading: Reading, tmp_path: Path) -> None:
    jwt = tmp_path / "token"
    jwt.write_text("canary-jwt")
    reading.vault.jwts = {("sidecar", "canary-jwt")}
    reading.by(VaultKubernetes("sidecar", FileSecret(jwt, AT)))
    assert await reading.read() == "canary-1"
    assert await reading.read() == "canary-1"
    assert reading.vault.asked.count("POST auth/kubernetes/login") == 1
    reading.by(VaultKubernetes("other", FileSecret(jwt, AT)))
    assert "check the role other and the mount kubernetes" in await reading.refused()
    jwt.unlink()
    assert "no login to Vault: secret file" in await reading.unavailable()


async def test_a_machine_logs_in_with_its_role(reading: Reading) -> None:
    reading.environ |= {"ID": "role", "SECRET_ID": "canary-id"}
    reading.vault.roles = {("role", "canary-id")}
    reading.by(VaultAppRole(EnvSecret("ID", AT), EnvSecret("SECRET_ID", AT)))
    assert await reading.read() == "canary-1"
    reading.environ["SECRET_ID"] = "canary-other"
    reading.by(VaultAppRole(EnvSecret("ID", AT), EnvSecret("SECRET_ID", AT)))
    assert "check role_id, secret_id and the mount approle" in await reading.refused()
    reading.by(VaultAppRole(EnvSecret("ID", AT), EnvSecret("SECRET_ID", AT), mount="machines"))
    assert "mount machines" in await reading.refused()


def machine(reading: Reading) -> None:
    """Log in by a role whose tokens live a minute."""
    reading.environ |= {"ID": "role", "SECRET_ID": "canary-id"}
    reading.vault.roles = {("role", "canary-id")}
    reading.vault.ttl = 60.0
    reading.by(VaultAppRole(EnvSecret("ID", AT), EnvSecret("SECRET_ID", AT)))


async def test_the_token_of_a_login_is_renewed_before_it_ends(reading: Reading) -> None:
    machine(reading)
    await reading.read()
    await reading.pass_by(600.0)
    assert await reading.read() == "canary-1"
    logins = [one for one in reading.vault.asked if "login" in one]
    renewals = [one for one in reading.vault.asked if "renew-self" in one]
    assert len(logins) == 1
    assert 10 <= len(renewals) <= 20


async def test_a_token_at_its_greatest_age_is_replaced_by_a_new_login(reading: Reading) -> None:
    machine(reading)
    reading.vault.most = 150.0
    await reading.read()
    await reading.pass_by(600.0)
    held = [token for token in reading.vault.tokens if token != ROOT]
    assert 3 <= len(held) <= 7
    assert await reading.read() == "canary-1"


async def test_a_token_that_is_never_tended_is_replaced_when_it_has_ended(reading: Reading) -> None:
    machine(reading)
    await reading.read()
    await reading.clock.advance(61.0)
    assert await reading.read() == "canary-1"


async def test_a_revoked_token_is_replaced_by_one_new_login(reading: Reading) -> None:
    machine(reading)
    await reading.read()
    reading.vault.tokens.clear()
    reading.vault.asked.clear()
    assert await reading.read() == "canary-1"
    assert reading.vault.asked.count("POST auth/approle/login") == 1


async def test_a_policy_that_forbids_costs_no_new_login(reading: Reading) -> None:
    machine(reading)
    await reading.read()
    reading.vault.policy = lambda _token, _path: False
    reading.vault.asked.clear()
    assert "`read` on secret/data/api" in await reading.refused()
    assert not [one for one in reading.vault.asked if "login" in one]


async def test_a_given_token_is_renewed_and_its_successor_is_found(reading: Reading) -> None:
    reading.environ["TOKEN"] = reading.vault.grant(60.0)
    await reading.read()
    await reading.pass_by(300.0)
    assert await reading.read() == "canary-1"
    reading.vault.tokens.clear()
    assert "put a new token in its place" in await reading.refused()
    reading.environ["TOKEN"] = reading.vault.grant(60.0)
    assert await reading.read() == "canary-1"


async def test_a_given_token_that_can_not_be_renewed_is_left_alone(reading: Reading) -> None:
    reading.environ["TOKEN"] = reading.vault.grant(60.0, renewable=False)
    await reading.read()
    await reading.pass_by(50.0)
    assert not [one for one in reading.vault.asked if "renew" in one]


async def test_a_given_token_that_has_ended_is_not_asked_about_every_second(
    reading: Reading,
) -> None:
    reading.environ["TOKEN"] = reading.vault.grant(60.0, most=60.0)
    await reading.read()
    await reading.pass_by(59.0)
    reading.vault.asked.clear()
    await reading.pass_by(600.0)
    assert len(reading.vault.asked) <= 62


async def test_a_sealed_vault_is_told(reading: Reading) -> None:
    reading.vault.sealed = True
    assert "sealed; unseal it" in await reading.unavailable()
    reading.vault.sealed = False
    assert await reading.read() == "canary-1"
    reading.vault.sealed = True
    assert "sealed" in await reading.unavailable()


async def test_a_cluster_without_a_leader_is_told(reading: Reading) -> None:
    reading.vault.leaderless = True
    assert "no active node" in await reading.unavailable()


async def test_a_slow_vault_is_given_up(reading: Reading) -> None:
    reading.vault.delay = 5.0
    await reading.carrier.close()
    reading.carrier = Carrier(clock=reading.clock, longest=0.05)
    assert "did not answer within 0.05 s" in await reading.unavailable()


async def test_a_vault_that_is_not_there_is_told(reading: Reading) -> None:
    place = model.Vault("http://127.0.0.1:1", WITH_TOKEN)
    reading.reader = VaultReader(place, Direct(reading.environ), reading.clock)
    assert "can't be reached" in await reading.unavailable()


async def test_a_standby_leads_to_the_active_node_once(reading: Reading) -> None:
    async with Vault(active=reading.vault.url) as standby:
        place = model.Vault(standby.url, WITH_TOKEN)
        reading.reader = VaultReader(place, Direct(reading.environ), reading.clock)
        assert await reading.read() == "canary-1"
        reading.vault.active = standby.url
        assert "from node to node" in await reading.unavailable()


async def test_a_standby_never_leads_to_a_place_without_encryption(reading: Reading) -> None:
    reading.vault.active = "http://vault.example.com"
    assert "without encryption" in await reading.unavailable()


async def test_what_a_login_repeats_of_secrets_is_hidden(reading: Reading) -> None:
    machine(reading)
    reading.vault.roles.clear()
    assert "secret ID ['[hidden]', '[hidden]']" in await reading.refused()


async def test_a_program_without_a_loop_of_its_own_reads_it_too(reading: Reading) -> None:
    secret = model.VaultSecret(
        "secret/api", "password", model.Vault(reading.vault.url, WITH_TOKEN), AT
    )
    source = Direct(reading.environ)(secret)
    assert (await asyncio.to_thread(source.read)).reveal() == "canary-1"
    gone = replace(secret, vault=model.Vault("http://127.0.0.1:1", WITH_TOKEN))
    with pytest.raises(SecretUnavailableError):
        Direct(reading.environ)(gone).read()


@pytest.mark.parametrize("kept", [False, True])
async def test_a_vault_is_believed_by_its_certificate(tmp_path: Path, kept: bool) -> None:
    authority = Authority(tmp_path)
    async with Vault(tls=authority.server_context(authority.issue())) as vault:
        vault.kv("secret")
        vault.put("secret/api", password="s3cret")
        for tls, expected in (
            (model.Tls(ca_file=authority.ca_file), "s3cret"),
            (model.Tls(), "is not trusted"),
            (model.Tls(ca_file=tmp_path / "nowhere"), "can't be read"),
        ):
            place = model.Vault(vault.url, WITH_TOKEN, tls=tls)
            secret = model.VaultSecret("secret/api", "password", place, AT)
            assert expected in await _read(secret, kept=kept)


async def _read(secret: model.VaultSecret, *, kept: bool) -> str:
    """The value, or why there is none; as the sidecar reads it, or as commands do."""
    environ, clock = {"TOKEN": ROOT}, SystemClock()
    vaults = Vaults(Direct(environ), environ, clock, Trust())
    try:
        if kept:
            return (await vaults.read(secret)).reveal()
        return (await asyncio.to_thread(Direct(environ)(secret).read)).reveal()
    except SecretError as error:
        return str(error)
    finally:
        await vaults.keep(())
