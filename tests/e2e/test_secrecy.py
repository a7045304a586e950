"""Canaries: no secret and no token shows anywhere that somebody else can look."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from tests.e2e.conftest import Scene
from tests.support.identity_provider import CLIENT, USER, Reply
from tests.support.process import Sidecar, command, running

CLIENT_SECRET = "canary-of-the-client"
PASSWORD = "canary-of-the-person"
PLAIN = "canary-in-the-file"
KEY = "canary-of-the-caller"
PRINTED = "canary-that-is-printed"
COMPLAINT = "canary-of-a-complaint"
VAULTS = "canary-of-vaults-token"
QUERY = "canary-in-the-query"
TARGETS = ("/api/", "/person/", "/printed/", "/sealed/", "/broken/", "/nowhere/", "/api/%00")
CANARIES = [CLIENT_SECRET, PASSWORD, PLAIN, KEY, PRINTED, COMPLAINT, VAULTS, QUERY]
ENVIRON = {"API_SECRET": CLIENT_SECRET, "MARY": PASSWORD, "KEY": KEY, "VAULTS": VAULTS}


def config(scene: Scene, form: str) -> str:
    """Secrets of every kind, at the level that says the most."""
    program = scene.home / "print"
    program.write_text(f"#!/bin/sh\necho {COMPLAINT} >&2\necho {PRINTED}\n")
    program.chmod(0o700)
    return f"""\
listen: {scene.data}
admin: {scene.admin}
hold: 1s
log: {{level: debug, format: {form}}}
workers: {scene.workers}
clients:
  notebook: {{key: {{env: KEY}}}}
vault: {{address: "http://127.0.0.1:1", auth: {{token: {{env: VAULTS}}}}}}
credentials:
  api:
    token_url: {scene.provider.token_url}
    client_id: {CLIENT[0]}
    client_secret: {{env: API_SECRET}}
    params: {{hint: {PLAIN}}}
  person:
    token_url: {scene.provider.token_url}
    grant: password
    client_id: {CLIENT[0]}
    client_secret: {PLAIN}
    username: {USER[0]}
    password: {{env: MARY}}
    required: false
  printed:
    token_url: {scene.provider.token_url}
    client_id: {CLIENT[0]}
    client_secret: {{command: [./print], every: 1s}}
    required: false
  sealed:
    grant: static
    token: {{vault: secret/a#b, every: 1s}}
    required: false
routes:
  - {{path: /printed/, upstream: "{scene.upstream.url}", credential: printed}}
  - {{path: /sealed/, upstream: "{scene.upstream.url}", credential: sealed}}
  - {{path: /api/, upstream: "{scene.upstream.url}", credential: api}}
  - {{path: /person/, upstream: "{scene.upstream.url}", credential: person}}
  - {{path: /broken/, upstream: "http://127.0.0.1:1", credential: api}}
"""


def without_vault(text: str) -> str:
    """The configuration without what stands in Vault."""
    credential = text[text.index("  sealed:") : text.index("routes:")]
    route = next(line for line in text.splitlines(keepends=True) if "/sealed/" in line)
    return text.replace(credential, "").replace(route, "")


async def everything_said(
    scene: Scene, sidecar: Sidecar, client: aiohttp.ClientSession
) -> list[str]:
    """Answers, logs, metrics, status and command lines, after all kinds of trouble."""
    said = []
    headers = {"X-Token-Sidecar-Key": KEY}
    for target in TARGETS:
        for sent in (headers, {"Authorization": f"Bearer {KEY}"}, {}):
            url = f"{scene.url}{target}?q={QUERY}"
            async with client.get(url, headers=sent) as answer:
                said += [str(answer.headers), await answer.text()]
    for target in ("/healthz", "/readyz", "/metrics", "/v1/status", "/"):
        said.append(repr(await sidecar.ask(f"{target}?q={QUERY}")))
    said += await asyncio.to_thread(_command_lines, sidecar.pid)
    return [*said, sidecar.out, sidecar.err]


def _command_lines(pid: int) -> list[str]:
    tasks = Path(f"/proc/{pid}/task")
    children = [c for t in tasks.glob("*/children") for c in t.read_text().split()]
    return [
        Path(f"/proc/{one}/cmdline").read_bytes().decode()
        for one in (str(pid), *children)
        if Path(f"/proc/{one}").exists()
    ]


@pytest.mark.parametrize("workers", [1, 2])
@pytest.mark.parametrize("form", ["text", "json"])
async def test_no_secret_and_no_token_shows_anywhere(
    scene: Scene, client: aiohttp.ClientSession, form: str
) -> None:
    scene.provider.clients = {CLIENT[0]: CLIENT_SECRET}
    scene.provider.signed = True
    scene.upstream.answer = lambda _: web.Response(status=401)
    text = config(scene, form)
    async with running(text, scene.home, admin=scene.admin, environ=ENVIRON) as sidecar:
        await sidecar.ready()
        said = await everything_said(scene, sidecar, client)
        # A provider that repeats in its error what it was sent.
        scene.provider.otherwise = Reply(
            400,
            {
                "error": "invalid_client",
                "error_description": f"{CLIENT_SECRET} {PLAIN} {PASSWORD} {PRINTED} no",
            },
        )
        said += await everything_said(scene, sidecar, client)
        assert await sidecar.stop() == 0
        said += [sidecar.out, sidecar.err]
    assert scene.upstream.seen, "nothing was forwarded, so nothing was shown"
    assert scene.provider.issued
    for canary in (*CANARIES, *scene.provider.issued):
        assert not [part for part in said if canary in part]


async def test_the_check_shows_no_secret_and_no_token(scene: Scene) -> None:
    scene.provider.clients = {CLIENT[0]: CLIENT_SECRET}
    whole = config(scene, "text")
    for arguments in (("--online",), ("--online", "--json"), ("--json",), ()):
        # A Vault that is out of reach is a mistake, and nobody is asked then.
        text = whole if "--online" not in arguments else without_vault(whole)
        (scene.home / "config.yaml").write_text(text)
        finished = await command(
            "check", "--config", "config.yaml", *arguments, home=scene.home, environ=ENVIRON
        )
        for canary in (*CANARIES, *scene.provider.issued):
            assert canary not in finished.out + finished.err
    assert scene.provider.issued


async def test_a_secret_in_a_wrong_place_is_not_repeated(scene: Scene) -> None:
    for wrong in (f"client_secret: [{PLAIN}]", f"client_secret: {{env: {{x: {PLAIN}}}}}"):
        text = config(scene, "text").replace(f"client_secret: {PLAIN}", wrong)
        (scene.home / "config.yaml").write_text(text)
        finished = await command("run", "-c", "config.yaml", home=scene.home, environ=ENVIRON)
        assert finished.code == 2
        assert PLAIN not in finished.err
