"""The provider and the API over real sockets."""

from __future__ import annotations

import io
import json

import aiohttp
import pytest

from proxy.demo import chat, model
from proxy.demo.legacy import ARROW, CHAT, INFER, JSON, RECORD, UPLOAD, upload
from proxy.demo.servers import InferenceServer, ProviderServer

RECORDS = json.dumps([{"tensor": RECORD}]).encode()


@pytest.fixture
async def api(aiohttp_client, verifier):
    return await aiohttp_client(InferenceServer(verifier, word_pause=0).application())


@pytest.fixture
async def issuing(aiohttp_client, provider):
    return await aiohttp_client(ProviderServer(provider, provider.ledger).application("/realms/x"))


@pytest.fixture
def good(desk):
    return {"Authorization": f"Bearer {desk.token()}"}


@pytest.mark.parametrize("path", [INFER, CHAT, UPLOAD, "/nowhere"])
async def test_nothing_is_answered_without_a_token(api, path):
    async with api.post(path, data=RECORDS) as answer:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"] == 'Bearer realm="demo"'


async def test_an_expired_token_is_told_so(api, good, wall):
    wall.seconds += 6
    async with api.post(INFER, data=RECORDS, headers=good) as answer:
        assert answer.status == 401
        assert 'error="invalid_token"' in answer.headers["WWW-Authenticate"]
        assert await answer.json() == {"message": "the token expired"}


async def test_a_large_upload_without_a_token_still_gets_to_read_its_401(api):
    async with api.post(UPLOAD, data=io.BytesIO(bytes(8 << 20))) as answer:
        assert answer.status == 401


async def test_records_are_answered_with_records(api, good):
    async with api.post(INFER, data=RECORDS, headers={**good, "Content-Type": JSON}) as answer:
        assert answer.status == 200
        assert await answer.read() == model.infer_records(RECORDS)


async def test_an_arrow_file_is_answered_with_an_arrow_file(api, good):
    batch = model.batch(1000)
    async with api.post(INFER, data=batch, headers={**good, "Content-Type": ARROW}) as answer:
        assert (answer.status, answer.content_type) == (200, ARROW)
        assert await answer.read() == model.infer_arrow(batch)


async def test_a_body_that_does_not_fit_gets_a_400_that_says_what_would(api, good):
    async with api.post(INFER, data=b"nonsense", headers=good) as answer:
        assert answer.status == 400
        assert "tensor of 29" in (await answer.json())["message"]


async def test_a_completion_comes_as_events_and_ends_properly(api, good):
    async with api.post(CHAT, json={"stream": True}, headers=good) as answer:
        assert (answer.status, answer.content_type) == (200, "text/event-stream")
        events = [line[6:] async for line in answer.content if line.startswith(b"data: ")]
    assert events[-1] == b"[DONE]\n"
    pieces = [json.loads(event)["choices"][0]["delta"] for event in events[:-1]]
    assert "".join(piece.get("content", "") for piece in pieces).strip() == chat.SAYING


async def test_an_upload_is_hashed_whole(api, good):
    work = upload(3 << 20)
    body = b"".join(work.body())
    async with api.post(UPLOAD, data=io.BytesIO(body), headers={**good, **work.headers}) as answer:
        assert answer.status == 200
        assert work.judge(await answer.read()) == ""


async def test_an_upload_that_is_no_multipart_gets_a_400(api, good):
    async with api.post(UPLOAD, data=b"x", headers=good) as answer:
        assert answer.status == 400


async def test_the_provider_is_found_by_discovery(issuing, provider):
    async with issuing.get("/realms/x/.well-known/openid-configuration") as answer:
        assert await answer.json() == provider.metadata()
    async with issuing.get("/realms/x/certs") as answer:
        assert await answer.json() == provider.jwks()


async def test_the_token_endpoint_answers_and_may_not_be_cached(issuing):
    login = aiohttp.encode_basic_auth("api-client", "s3cret")
    form = {"grant_type": "client_credentials"}
    headers = {"Authorization": login}
    async with issuing.post("/realms/x/token", data=form, headers=headers) as answer:
        assert answer.status == 200
        assert answer.headers["Cache-Control"] == "no-store"
        assert (await answer.json())["expires_in"] == 6


async def test_a_refused_client_is_asked_for_basic_authentication(issuing):
    async with issuing.post("/realms/x/token", data={"client_id": "x"}) as answer:
        assert answer.status == 401
        assert answer.headers["WWW-Authenticate"].startswith("Basic")


async def test_the_ledger_can_be_read(issuing, provider):
    provider.token("", None)
    async with issuing.get("/ledger") as answer:
        assert (await answer.json())["requests"] == 1
