"""Programs that know nothing of tokens: they ask over and over and check each answer."""

from __future__ import annotations

import asyncio
import hashlib
import io
import itertools
import json
import random
import time
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import pyarrow as pa
from yarl import URL

ARROW = "application/vnd.apache.arrow.file"
PANDAS = "application/json; format=pandas-records"
JSON = "application/json"
PAUSE = 0.02
"""Seconds a client thinks between two requests: all the servers share this machine."""


@dataclass(frozen=True, slots=True)
class Call:
    """One request a program makes, again and again."""

    method: str
    target: str
    content_type: str = JSON
    body: bytes = b""


@dataclass(slots=True)
class Tally:
    """What the answers were. ``wrong`` tells of answers that were 200 and yet not right."""

    answers: Counter[int] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    kinds: set[str] = field(default_factory=set)

    @property
    def others(self) -> int:
        """How many answers were something else than 200."""
        return self.answers.total() - self.answers[200]


def record() -> bytes:
    """One row of 29 numbers, as pandas writes records."""
    row = [round(random.Random(29).gauss(0, 1), 10) for _ in range(29)]
    return json.dumps([{"tensor": row}]).encode()


def arrow_file(rows: int = 100) -> bytes:
    """An Arrow file with ``rows`` rows of 29 floats."""
    numbers = random.Random(29)
    tensor = [[numbers.gauss(0, 1) for _ in range(29)] for _ in range(rows)]
    table = pa.table({"tensor": pa.array(tensor, pa.list_(pa.float32(), 29))})
    sink = io.BytesIO()
    with pa.ipc.new_file(sink, table.schema) as writer:
        writer.write_table(table)
    return sink.getvalue()


CALLS = {
    "wallaroo-inference": (
        Call("POST", "/v1/api/pipelines/infer/ccfraud-1/ccfraud", ARROW, arrow_file()),
        Call("POST", "/v1/api/pipelines/infer/ccfraud-1/ccfraud", PANDAS, record()),
        Call(
            "POST",
            "/v1/api/pipelines/infer/ccfraud-1/ccfraud?dataset%5B%5D=%2A&dataset.separator=.",
            *(PANDAS, record()),
        ),
    ),
    "wallaroo-mlops": (Call("POST", "/v1/api/workspaces/list", JSON, b"{}"),),
    "seldon": (Call("GET", "/namespaces/staging/seldondeployments"),),
    "runai": (Call("GET", "/v1/k8s/clusters"), Call("POST", "/v1/k8s/project", JSON, b"{}")),
    "eggplant": (Call("POST", "/ai/models/1/executions", JSON, b'{"steps": 10}'),),
    "eggplant-login": (Call("GET", "/ai/executions/1"),),
}


async def drive(base: str, calls: tuple[Call, ...], *, clients: int, seconds: float) -> Tally:
    """Have ``clients`` make these calls in turn for so long."""
    tally = Tally()
    end = time.monotonic() + seconds
    connector = aiohttp.TCPConnector(limit=clients)
    async with aiohttp.ClientSession(connector=connector) as http, asyncio.TaskGroup() as group:
        for _ in range(clients):
            group.create_task(client(http, base, calls, end, tally))
    return tally


async def client(
    http: aiohttp.ClientSession, base: str, calls: tuple[Call, ...], end: float, tally: Tally
) -> None:
    """One program."""
    for call in itertools.cycle(calls):
        if time.monotonic() > end:
            return
        await ask(http, base, call, tally)
        await asyncio.sleep(PAUSE)


async def ask(http: aiohttp.ClientSession, base: str, call: Call, tally: Tally) -> None:
    """One request; an answer that did not come counts as status 0."""
    url = URL(base + call.target, encoded=True)
    headers = {"Content-Type": call.content_type}
    try:
        async with http.request(call.method, url, data=call.body, headers=headers) as answer:
            body = await answer.read()
    except aiohttp.ClientError as error:
        tally.answers[0] += 1
        tally.wrong.append(f"{type(error).__name__}: {error}")
        return
    tally.answers[answer.status] += 1
    if answer.status == 200:
        compare(call, answer.content_type, body, tally)
    else:
        tally.wrong.append(f"{answer.status}: {body[:200]!r}")


def compare(call: Call, content_type: str, body: bytes, tally: Tally) -> None:
    """Whether the API received what was sent."""
    if call.content_type == ARROW:
        if content_type != ARROW or body != call.body:
            tally.wrong.append("the Arrow file came back changed")
        return
    about: dict[str, Any] = json.loads(body)
    tally.kinds.add(about["typ"])
    if about["sha256"] != hashlib.sha256(call.body).hexdigest():
        tally.wrong.append("the body arrived changed")
    if not about["path"].endswith(call.target):
        tally.wrong.append(f"the target arrived as {about['path']}")
