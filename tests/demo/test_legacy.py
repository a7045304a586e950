"""The old program: it finds fault where there is some, and has no way to get at a token."""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from pathlib import Path

import pytest
from aiohttp import web

from proxy.demo import chat, legacy, model
from proxy.demo.processes import Child
from proxy.demo.report import parse
from proxy.demo.servers import InferenceServer, serve
from proxy.demo.world import _bound

SMALL = 3 << 20


@pytest.fixture
async def somewhere():
    """A server for each application given; all end with the test."""
    runners = []

    async def start(app: web.Application) -> str:
        listener, url = _bound()
        runners.append(await serve(app, listener))
        return url.removeprefix("http://")

    yield start
    for runner in runners:
        await runner.cleanup()


def answering(handler) -> web.Application:
    app = web.Application()
    app.router.add_post("/{path:.*}", handler)
    return app


async def run(tmp_path: Path, netloc: str):
    """The program as it is started, each kind of work once."""
    batch = model.batch(100)
    (tmp_path / "batch").write_bytes(batch)
    (tmp_path / "expected").write_bytes(model.infer_arrow(batch))
    files = ("--batch", str(tmp_path / "batch"), "--expected", str(tmp_path / "expected"))
    command = (sys.executable, "-I", "-S", legacy.__file__, netloc, *files, "--size", str(SMALL))
    program = await Child.start("it", command, log=tmp_path / "log", environ={})
    results = []
    while line := await program.line():
        results.append(parse(line))
    assert await program.wait() == 0, program.log.read_text()
    return {result.kind: result for result in results}


def test_it_imports_the_standard_library_alone():
    tree = ast.parse(Path(legacy.__file__).read_text())
    names = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert {name.split(".")[0] for name in names} <= sys.stdlib_module_names


async def test_straight_at_the_api_each_kind_of_work_gets_a_401(tmp_path, somewhere, verifier):
    netloc = await somewhere(InferenceServer(verifier).application())
    results = await run(tmp_path, netloc)
    assert set(results) == set(legacy.KINDS)
    assert {result.status for result in results.values()} == {401}
    assert verifier.ledger()["refused"] == {"missing": 4}


async def test_with_a_token_put_on_each_kind_of_work_succeeds(tmp_path, somewhere, verifier, desk):
    """The API behind a handler that does what a sidecar does."""
    token = desk.token()

    @web.middleware
    async def inject(request, handler):
        headers = {**request.headers, "Authorization": f"Bearer {token}"}
        return await handler(request.clone(headers=headers))

    app = InferenceServer(verifier, word_pause=0).application()
    app.middlewares.insert(0, inject)
    results = await run(tmp_path, await somewhere(app))
    assert {kind: (one.status, one.fault) for kind, one in results.items()} == dict.fromkeys(
        legacy.KINDS, (200, "")
    )
    assert results["upload"].sent > SMALL
    assert results["arrow"].received == len((tmp_path / "expected").read_bytes())


async def test_answers_that_are_not_what_was_asked_for_are_found_faulty(tmp_path, somewhere):
    async def say(_: web.Request) -> web.Response:
        return web.json_response({"sha256": "0", "bytes": SMALL})

    results = await run(tmp_path, await somewhere(answering(say)))
    assert {result.status for result in results.values()} == {200}
    assert all(result.fault for result in results.values())


async def test_a_connection_that_breaks_off_is_no_answer(tmp_path, somewhere):
    async def leave(request: web.Request) -> web.StreamResponse:
        request.transport.abort()
        return web.Response()

    results = await run(tmp_path, await somewhere(answering(leave)))
    assert {result.status for result in results.values()} == {0}
    assert all(result.fault for result in results.values())


def test_nobody_listening_is_no_answer():
    listener, url = _bound()
    listener.close()
    result = legacy.perform(legacy.records(), url.removeprefix("http://"))
    assert result.status == 0
    assert "ConnectionRefusedError" in result.fault


def test_an_upload_says_its_length_exactly_and_what_its_digest_must_be():
    work = legacy.upload(SMALL + 5)
    body = b"".join(work.body())
    assert len(body) == work.length
    content = body.split(b"\r\n\r\n", 1)[1].removesuffix(f"\r\n--{legacy.BOUNDARY}--\r\n".encode())
    expected = {"bytes": SMALL + 5, "sha256": hashlib.sha256(content).hexdigest()}
    assert work.judge(json.dumps(expected).encode()) == ""
    assert work.judge(json.dumps({**expected, "bytes": SMALL}).encode()) != ""


def test_two_blocks_of_an_upload_are_never_alike():
    blocks = list(legacy.upload(SMALL).body())[1:-1]
    assert len(set(blocks)) == len(blocks)


def test_a_completion_that_breaks_off_is_found_faulty():
    judge = legacy.chat().judge
    whole = b"".join(chat.events())
    assert judge(whole) == ""
    assert judge(whole.removesuffix(b"data: [DONE]\n\n")) != ""
    assert judge(b"") != ""


def test_one_wrong_byte_in_an_arrow_answer_is_found():
    judge = legacy.arrow(b"batch", b"expected").judge
    assert judge(b"expected") == ""
    assert judge(b"expectes") != ""
