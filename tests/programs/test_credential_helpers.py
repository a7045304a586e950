"""kubectl and git themselves, as they run ``token-sidecar credential`` for their token."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import ssl
import sys
from asyncio.subprocess import PIPE
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from tests.programs.lab import Programs
from tests.support.certificates import Authority
from tests.support.identity_provider import CLIENT, IdentityProvider
from tests.support.process import Finished, environment

VERSION = {"major": "1", "minor": "32", "gitVersion": "v1.32.0"}


@dataclass
class Desk:
    """A person's machine: a configuration, kubectl and git, and what servers were sent."""

    home: Path
    provider: IdentityProvider
    refused: set[str] = field(default_factory=set)
    sent: list[str] = field(default_factory=list)
    programs: Programs = field(default_factory=lambda: Programs(Path(os.environ["PROGRAMS"])))

    @property
    def helper(self) -> list[str]:
        """The command, as it stands in kubectl's and git's configuration."""
        return [sys.executable, "-P", "-m", "proxy", "credential"]

    async def run(self, program: str, *words: str) -> Finished:
        """What a program says until it ends."""
        environ = {
            "API_SECRET": CLIENT[1],
            "STORE_KEY": "00" * 32,
            "TOKEN_SIDECAR_CONFIG": str(self.home / "config.yaml"),
            "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_TERMINAL_PROMPT": "0",
        }
        process = await asyncio.create_subprocess_exec(
            self.programs[program],
            *words,
            cwd=self.home,
            env=environment(self.home, environ),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=PIPE,
            stderr=PIPE,
        )
        out, err = await asyncio.wait_for(process.communicate(), 60)
        assert process.returncode is not None
        return Finished(process.returncode, out.decode(), err.decode())

    def takes(self, token: str) -> bool:
        """Whether the provider gave this token, and no server refuses it."""
        self.sent.append(token)
        return token in self.provider.issued and token not in self.refused


@pytest.fixture
async def desk(tmp_path: Path) -> AsyncIterator[Desk]:
    async with IdentityProvider() as provider:
        (tmp_path / "config.yaml").write_text(
            "store: {file: tokens, encryption_key: {env: STORE_KEY}}\n"
            f"credentials:\n  api:\n    token_url: {provider.token_url}\n"
            f"    client_id: {CLIENT[0]}\n    client_secret: {{env: API_SECRET}}\n"
            "routes:\n  - {path: /, upstream: 'https://api.example/', credential: api}\n"
        )
        yield Desk(tmp_path, provider)


@asynccontextmanager
async def served(
    application: web.Application, context: ssl.SSLContext | None = None
) -> AsyncIterator[str]:
    """The ``host:port`` of an application that is served until the block ends."""
    runner = web.AppRunner(application)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield f"127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@asynccontextmanager
async def cluster(desk: Desk) -> AsyncIterator[None]:
    """An API server that tells its version to bearers of the token, and a kubeconfig for it."""

    async def version(request: web.Request) -> web.Response:
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if desk.takes(token):
            return web.json_response(VERSION)
        return web.json_response({"kind": "Status", "code": 401}, status=401)

    application = web.Application()
    application.router.add_get("/version", version)
    authority = Authority(desk.home)
    pair = authority.issue()
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.cert_file, pair.key_file)
    async with served(application, context) as place:
        config = kubeconfig(place, authority.ca_file, desk.helper)
        (desk.home / ".kube").mkdir()
        (desk.home / ".kube" / "config").write_text(json.dumps(config))
        yield


def kubeconfig(place: str, ca_file: Path, helper: list[str]) -> dict[str, object]:
    command, *words = helper
    run = {
        "apiVersion": "client.authentication.k8s.io/v1",
        "command": command,
        "args": [*words, "kubectl", "api"],
        "interactiveMode": "Never",
    }
    server = {"server": f"https://{place}", "certificate-authority": str(ca_file)}
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": "here",
        "clusters": [{"name": "here", "cluster": server}],
        "users": [{"name": "me", "user": {"exec": run}}],
        "contexts": [{"name": "here", "context": {"cluster": "here", "user": "me"}}],
    }


@asynccontextmanager
async def forge(desk: Desk) -> AsyncIterator[str]:
    """A git server for those who have the token as their password; the repository's URL."""
    place = desk.home / "served" / "repository.git"
    assert (await desk.run("git", "init", "--quiet", "--bare", str(place))).code == 0
    receive = ("config", "--file", str(place / "config"), "http.receivepack", "true")
    assert (await desk.run("git", *receive)).code == 0

    async def answer(request: web.Request) -> web.Response:
        scheme, _, said = request.headers.get("Authorization", "").partition(" ")
        user, _, password = base64.b64decode(said).decode().partition(":")
        if scheme != "Basic" or user != "oauth2" or not desk.takes(password):
            return web.Response(status=401, headers={"WWW-Authenticate": 'Basic realm="forge"'})
        return await backend(desk, place.parent, request)

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", answer)
    async with served(application) as there:
        words = " ".join([*desk.helper, "git", "api"])
        helper = f"credential.http://{there}.helper"
        assert (await desk.run("git", "config", "--global", helper, f"!{words}")).code == 0
        yield f"http://{there}/repository.git"


async def backend(desk: Desk, root: Path, request: web.Request) -> web.Response:
    """``git http-backend``, by CGI (RFC 3875)."""
    environ = {
        "GIT_PROJECT_ROOT": str(root),
        "GIT_HTTP_EXPORT_ALL": "1",
        "REQUEST_METHOD": request.method,
        "PATH_INFO": request.path,
        "QUERY_STRING": request.query_string,
        "CONTENT_TYPE": request.headers.get("Content-Type", ""),
        "HTTP_CONTENT_ENCODING": request.headers.get("Content-Encoding", ""),
        "REMOTE_USER": "me",
    }
    process = await asyncio.create_subprocess_exec(
        desk.programs["git"],
        "http-backend",
        env=environment(desk.home, environ),
        stdin=PIPE,
        stdout=PIPE,
    )
    out, _ = await process.communicate(await request.read())
    head, _, body = out.partition(b"\r\n\r\n")
    fields = dict(line.split(": ", 1) for line in head.decode().split("\r\n"))
    status = int(fields.pop("Status", "200").split()[0])
    return web.Response(status=status, headers=fields, body=body)


async def test_kubectl_gets_its_token(desk: Desk) -> None:
    async with cluster(desk):
        for _ in range(2):
            done = await desk.run("kubectl", "get", "--raw", "/version")
            assert (done.code, json.loads(done.out)) == (0, VERSION), done.err
    assert set(desk.sent) == {"token-1"}
    assert desk.provider.asked == 1


async def test_kubectl_says_why_there_is_no_token(desk: Desk) -> None:
    desk.provider.clients.clear()
    async with cluster(desk):
        done = await desk.run("kubectl", "get", "--raw", "/version")
    assert done.code != 0
    assert "invalid_client" in done.err
    assert desk.sent == []


async def test_git_clones_and_pushes_and_a_refused_token_is_replaced(desk: Desk) -> None:
    async with forge(desk) as url:
        done = await desk.run("git", "clone", "--quiet", url, "clone")
        assert done.code == 0, done.err
        person = ("-c", "user.name=me", "-c", "user.email=me@example.com")
        commit = ("commit", "--quiet", "--allow-empty", "--message", "one")
        assert (await desk.run("git", "-C", "clone", *person, *commit)).code == 0
        push = ("-C", "clone", "push", "--quiet", "origin", "HEAD:refs/heads/main")
        done = await desk.run("git", *push)
        assert done.code == 0, done.err
        desk.refused.add("token-1")
        fetch = ("-C", "clone", "fetch", "--quiet", "origin")
        assert "Authentication failed" in (await desk.run("git", *fetch)).err
        done = await desk.run("git", *fetch)
        assert done.code == 0, done.err
    assert set(desk.sent) == {"token-1", "token-2"}
    assert desk.provider.asked == 2


async def test_git_asks_nobody_for_a_password_where_no_token_comes(desk: Desk) -> None:
    desk.provider.clients.clear()
    async with forge(desk) as url:
        done = await desk.run("git", "clone", "--quiet", url, "clone")
    assert done.code != 0
    assert "invalid_client" in done.err
    assert "told us to quit" in done.err
