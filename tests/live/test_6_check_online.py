"""``check --online`` against a real provider: what it says and with which exit code."""

from __future__ import annotations

import dataclasses

import pytest

from tests.live.lab import Lab
from tests.live.report import Report
from tests.live.tenants import CHECK, TOKEN_PATH
from tests.support.process import free_ports

pytestmark = pytest.mark.asyncio(loop_scope="session")
NOBODY = f"http://127.0.0.1:{free_ports(1)[0]}/auth/realms/acme/{TOKEN_PATH}"
WRONG = "a-wrong-secret"
CASES = {
    "good": (CHECK, 0, "access_token"),
    "wrong secret": (
        dataclasses.replace(CHECK, environ={"CLIENT_SECRET": WRONG}),
        *(3, "unauthorized_client"),
    ),
    "unreachable": (
        dataclasses.replace(CHECK, where={"token_url": NOBODY, "client_id": CHECK.client}),
        *(4, "127.0.0.1"),
    ),
}


@pytest.mark.parametrize("case", CASES)
async def test_check_online_tells_what_it_got(lab: Lab, report: Report, case: str) -> None:
    tenant, expected, word = CASES[case]
    finished = await lab.install(tenant).check_online()
    words = finished.out + finished.err
    said = words.strip().splitlines()[-1]
    report.row("check --online", case=case, exit_code=finished.code, says=said[:120])
    assert finished.code == expected, words
    assert word in words
    assert CHECK.secret not in words
    assert WRONG not in words
    assert "eyJ" not in words
    assert "Traceback" not in words
