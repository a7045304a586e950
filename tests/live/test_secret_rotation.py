"""A client's secret rotated at a real Keycloak every five seconds under load: nothing fails.

One kind of place for 20 s; ``SECONDS=120 SOURCES=all`` for all of them, side by side. Vault is the
tests' own, written from its documentation.
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from dataclasses import dataclass
from pathlib import Path

import aiohttp
import pytest

from tests.live.admin import Administrator
from tests.live.keycloak import Keycloak
from tests.live.report import Report
from tests.live.rotation import CLIENT, PERIOD, REALM, Rotation, rotating
from tests.live.verified_api import Ledger, VerifiedApi, verified_api
from tests.support.secret_places import EVERY, placed
from tests.support.vault import Vault

pytestmark = pytest.mark.asyncio(loop_scope="session")
CHOSEN = os.environ.get("SOURCES", "")
NAMES = list(EVERY) if CHOSEN == "all" else (CHOSEN or "data").split(",")
SECONDS = float(os.environ.get("SECONDS", "20")) if CHOSEN else 20.0
PAUSE = 0.05
"""Seconds that a program thinks between two requests, where there is one place alone."""


async def test_a_secret_rotated_every_five_seconds_costs_no_request(
    keycloak: Keycloak, http: aiohttp.ClientSession, work: Path, report: Report
) -> None:
    administrator = Administrator(keycloak, http)
    await administrator.realm(REALM)
    async with verified_api(http) as api:
        runs = [rotated(name, keycloak, administrator, api, work, report) for name in NAMES]
        for run in await asyncio.gather(*runs):
            assert not run.rotation.wrong, (run.rotation.name, run.rotation.wrong[:5], run.said)
            # One that was sent in time may be judged too late by an API with much to do.
            late = [why for why in run.ledger.refused if why.startswith("ValueError: expired")]
            assert len(late) == len(run.ledger.refused), run.ledger.refused
            # A machine with more to do than this takes longer over each.
            assert run.rotation.rotations >= 0.6 * SECONDS / PERIOD
            assert len(run.ledger.tokens) >= 0.6 * SECONDS / PERIOD
            assert run.changes >= run.rotation.rotations - 2
            assert "canary" not in run.said


@dataclass(frozen=True, slots=True)
class Run:
    """What came of one place: what its sidecar said at the end, and how often it saw a change."""

    rotation: Rotation
    ledger: Ledger
    said: str
    changes: int


async def rotated(
    name: str,
    keycloak: Keycloak,
    administrator: Administrator,
    api: VerifiedApi,
    work: Path,
    report: Report,
) -> Run:
    """One place's part."""
    home = work / f"rotation-{name}"
    home.mkdir()
    realm = f"{keycloak.base}/realms/{REALM}"
    openid = f"{realm}/protocol/openid-connect"
    ledger = Ledger(realm)
    await api.expect(name, ledger, f"{openid}/certs")
    async with Vault() as vault:
        place = placed(name, home, vault, client=f"{CLIENT}-{name}")
        rotation = Rotation(name, f"{CLIENT}-{name}", place, administrator)
        await rotation.enrol()
        upstream = f"{api.url}/{name}/"
        async with rotating(rotation, home, f"{openid}/token", upstream) as (installed, sidecar):
            end = time.monotonic() + SECONDS
            async with asyncio.TaskGroup() as group:
                group.create_task(rotation.rotate(end))
                group.create_task(rotation.load(installed.base, end, PAUSE * len(NAMES)))
            status = json.loads((await sidecar.ask("/v1/status")).text)
            said = sidecar.err
            changes = status["secrets"][-1]["changes"]
    events = await administrator.events(REALM, rotation.client)
    report.row(
        f"A client secret rotated every {PERIOD:g} s for {SECONDS:g} s, 32 clients a place",
        place=name,
        rotations=rotation.rotations,
        seen=changes,
        requests=rotation.answers.total(),
        failed=rotation.answers.total() - rotation.answers[200],
        tokens=len(ledger.tokens),
        refused_at_Keycloak=events["CLIENT_LOGIN_ERROR"],
        tried_twice=ledger.answers[401],
        slowest_ms=round(rotation.slowest * 1000),
    )
    return Run(rotation, ledger, said[-4000:], changes)
