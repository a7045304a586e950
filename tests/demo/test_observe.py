"""Reading what the sidecar and the outside world tell of themselves."""

from __future__ import annotations

import pytest
from aiohttp import web

from proxy.clock import Moment
from proxy.demo.calls import CallError, call, get_json
from proxy.demo.observe import Ledger, held, read_ledger, read_status

CREDENTIAL = {
    "state": "valid",
    "generation": 4,
    "lifetime_seconds": 5.5,
    "expires_in_seconds": 4.25,
    "next_renewal_in_seconds": 2.5,
    "last_error": None,
}


@pytest.fixture
async def told(aiohttp_server):
    """A server that gives the same answer to everything; its HOST:PORT."""

    async def start(answer: web.Response) -> str:
        async def say(_: web.Request) -> web.Response:
            return answer

        app = web.Application()
        app.router.add_get("/{path:.*}", say)
        server = await aiohttp_server(app)
        return f"{server.host}:{server.port}"

    return start


async def in_thread(function, *arguments):
    import asyncio  # noqa: PLC0415 - for this alone

    return await asyncio.to_thread(function, *arguments)


def test_a_credential_is_told_by_its_age_and_its_renewals():
    (one,) = held({"credentials": {"inference": CREDENTIAL}})
    assert (one.name, one.state, one.renewals) == ("inference", "valid", 3)
    assert (one.age, one.renewal, one.error) == (1.25, 2.5, "")


def test_a_credential_that_had_no_token_has_no_age():
    none = dict.fromkeys(("lifetime_seconds", "expires_in_seconds", "next_renewal_in_seconds"))
    error = {"reason": "timeout", "message": "no answer", "at": "now"}
    document = {**CREDENTIAL, **none, "state": "unavailable", "generation": 0, "last_error": error}
    (one,) = held({"credentials": {"inference": document}})
    assert (one.age, one.renewals, one.error) == (None, 0, "no answer")


def test_the_sidecars_own_status_document_can_be_read():
    control = pytest.importorskip("proxy.control.status")
    from proxy.tokens.status import CredentialStatus, LastError  # noqa: PLC0415 - goes with it

    status = CredentialStatus(
        name="inference",
        state="renewing",
        required=True,
        ready=True,
        generation=2,
        field="access_token",
        lifetime_seconds=6.0,
        expires_in_seconds=2.0,
        next_renewal_in_seconds=None,
        last_error=LastError("timeout", "no answer", Moment(0.0, 0.0).wall),
        token_requests=3,
        renewals=2,
        failures={"timeout": 1},
        rejections=0,
    )
    (one,) = held({"credentials": {"inference": control.credential(status)}})
    assert (one.age, one.renewals, one.error) == (4.0, 1, "no answer")


async def test_the_ledger_is_read_over_http(told):
    empty = {"issued": {}, "accepted": {}, "refused": {}, "tokens": {}, "least": {}}
    where = await told(web.json_response({"requests": 3, "errors": {}, **empty}))
    assert await in_thread(read_ledger, f"http://{where}/ledger") == Ledger(**empty)


async def test_a_status_of_another_shape_is_told_apart(told):
    where = await told(web.json_response({"credentials": {"inference": {}}}))
    with pytest.raises(CallError, match="not the status that was expected"):
        await in_thread(read_status, where)


@pytest.mark.parametrize(
    ("answer", "said"),
    [({"status": 503}, "status 503"), ({"status": 200, "text": "<html>"}, "no JSON")],
)
async def test_anything_but_json_is_an_error(told, answer, said):
    where = await told(web.Response(**answer))
    with pytest.raises(CallError, match=said):
        await in_thread(get_json, f"http://{where}/x")


def test_nobody_there_is_an_error(unused_tcp_port):
    with pytest.raises(CallError, match="ConnectionRefusedError"):
        call("GET", f"http://127.0.0.1:{unused_tcp_port}/x")
