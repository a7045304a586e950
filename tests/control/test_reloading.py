"""Reloads by the control plane: who may ask, and how what came of it is told."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import aiohttp
import pytest

from proxy.control import application
from proxy.control.lending import Lendables
from proxy.control.reloading import LONGEST, NotNowError, Outcome
from proxy.errors import Problem
from proxy.plane.guard import Guard
from proxy.plane.hosting import Hosted
from proxy.plane.settings import Address
from proxy.runtime.sockets import bind
from tests.control.conftest import KEYS, fail, serve, snapshot

MARK = {"X-Token-Sidecar": "1"}
NOTEBOOK = {**MARK, "X-Token-Sidecar-Key": "notebook-key"}
QUESTION = json.dumps({"name": "new.yaml", "text": "routes: []\n"}).encode()


class Place:
    """The control plane over TCP and over a Unix socket, with what reads configurations."""

    def __init__(self) -> None:
        self.tcp = ""
        self.unix = Path()
        self.present = True
        self.outcome = Outcome({"changed": False})
        self.asked: list[tuple[str, ...]] = []
        self.ending = False

    async def reload(self) -> Outcome:
        if self.ending:
            raise NotNowError("the process ends")
        self.asked.append(())
        return self.outcome

    async def compare(self, name: str, text: str) -> Outcome:
        self.asked.append((name, text))
        return self.outcome

    async def ask(
        self, what: str, body: bytes = b"", headers: dict[str, str] = MARK, method: str = "POST"
    ) -> tuple[int, str, dict[str, object]]:
        """Over the Unix socket: status, content type and body."""
        connector = aiohttp.UnixConnector(str(self.unix))
        async with (
            aiohttp.ClientSession(connector=connector) as session,
            session.request(
                method, f"http://localhost/v1/{what}", data=io.BytesIO(body), headers=headers
            ) as answer,
        ):
            return answer.status, answer.content_type, await answer.json(content_type=None)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    found = Place()

    async def count() -> None:
        """Nothing counts here."""

    def made(guard: object) -> aiohttp.web.AppRunner:
        return application.admin(
            snapshot,
            count,
            guard,  # type: ignore[arg-type]
            fail,
            lambda: Lendables({}, hold=1.0),
            reloads=lambda: found if found.present else None,
        )

    async with AsyncExitStack() as stack:
        found.tcp = await serve(stack, made)
        found.unix = tmp_path / "own.sock"
        address = Address(path=str(found.unix))
        guard = Guard(address, clients=KEYS)
        hosted = await Hosted.open(made(lambda: guard), bind(address, key="own"))
        stack.push_async_callback(hosted.close)
        yield found


async def test_our_own_user_is_told_what_changed(place: Place) -> None:
    place.outcome = Outcome({"changed": True, "settings": ["hold"]})
    assert await place.ask("reload") == (
        200,
        "application/json",
        {"changed": True, "settings": ["hold"]},
    )
    assert place.asked == [()]


async def test_a_client_reloads_by_its_key(place: Place, client: aiohttp.ClientSession) -> None:
    answer = await client.post(f"{place.tcp}/v1/reload", headers=NOTEBOOK)
    assert answer.status == 200


@pytest.mark.parametrize("what", ["reload", "diff"])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 403),
        (MARK, 403),
        ({"X-Token-Sidecar-Key": "notebook-key"}, 403),
        ({**MARK, "X-Token-Sidecar-Key": "wrong"}, 403),
        ({**NOTEBOOK, "Origin": "https://evil.example"}, 403),
        ({**NOTEBOOK, "Sec-Fetch-Site": "cross-site"}, 403),
        ({**NOTEBOOK, "Host": "rebound.example"}, 421),
    ],
)
async def test_nobody_else_does(
    place: Place, client: aiohttp.ClientSession, what: str, headers: dict[str, str], status: int
) -> None:
    answer = await client.post(f"{place.tcp}/v1/{what}", headers=headers, data=QUESTION)
    assert answer.status == status
    assert answer.content_type == "application/problem+json"
    assert place.asked == []


async def test_over_the_own_socket_a_page_can_not_ask_either(place: Place) -> None:
    assert (await place.ask("reload", headers={}))[0] == 403
    assert (await place.ask("diff", QUESTION, headers={}))[0] == 403
    assert place.asked == []


async def test_a_client_may_have_no_configuration_read(
    place: Place, client: aiohttp.ClientSession
) -> None:
    answer = await client.post(f"{place.tcp}/v1/diff", headers=NOTEBOOK, data=QUESTION)
    assert answer.status == 403
    assert place.asked == []


async def test_a_refusal_names_every_problem_and_its_place(place: Place) -> None:
    problems = (Problem("c.yaml", 3, 5, "unknown key `lisen`"), "listen: the port is in use")
    place.outcome = Outcome(problems=problems)
    status, kind, said = await place.ask("reload")
    assert (status, kind) == (422, "application/problem+json")
    assert said == {
        "type": "about:blank",
        "title": said["title"],
        "status": 422,
        "detail": "2 problems in the configuration; the old configuration stays",
        "problems": [
            {"file": "c.yaml", "line": 3, "column": 5, "message": "unknown key `lisen`"},
            {"message": "listen: the port is in use"},
        ],
    }
    place.outcome = Outcome(problems=problems[:1])
    _, _, said = await place.ask("diff", QUESTION)
    assert said["detail"] == "1 problem in the configuration; it would be refused"


async def test_what_would_change_is_told_for_a_text(place: Place) -> None:
    assert (await place.ask("diff", QUESTION))[0] == 200
    assert place.asked == [("new.yaml", "routes: []\n")]


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"[]", 400),
        (b"[" * 100_000, 400),
        (b'{"name": "x"}', 400),
        (b'{"name": 1, "text": "x"}', 400),
        (b'{"name": "x", "text": null}', 400),
        (b"x" * (LONGEST + 1), 413),
    ],
)
async def test_a_question_that_is_none_is_refused(place: Place, body: bytes, status: int) -> None:
    assert (await place.ask("diff", body))[0] == status
    assert place.asked == []


async def test_where_nothing_reloads_that_is_said(place: Place) -> None:
    place.ending = True
    assert (await place.ask("reload"))[0] == 503
    place.present = False
    assert (await place.ask("reload"))[0] == 503
    assert (await place.ask("diff", QUESTION))[0] == 503


@pytest.mark.parametrize("what", ["reload", "diff"])
async def test_looking_changes_nothing(place: Place, what: str) -> None:
    assert (await place.ask(what, method="GET"))[0] == 405
    assert place.asked == []
