"""An old program that knows nothing of tokens: the standard library, four kinds of work, no more.

It stands for what people already have and can't change. It imports nothing of the sidecar and is
started without site-packages, so that it could not get at a token even if it wanted to. One JSON
line per finished request tells what it met.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse
from pathlib import Path
from typing import Final

KINDS: Final = ("records", "arrow", "chat", "upload")
PAUSES: Final = {"records": 0.05, "arrow": 0.25, "chat": 0.2, "upload": 1.0}
"""Seconds between two requests of a kind."""
RECORD: Final = (
    *(1.0678324729, 0.2177810266, -1.7115145262, 0.682285721, 1.0138553067, -0.4335000013),
    *(0.7395859437, -0.2882839595, -0.447262688, 0.5146124988, 0.3791316964, 0.5190619748),
    *(-0.4904593222, 1.1656456469, -0.9776307444, -0.6322198963, -0.6891477694, 0.1783317857),
    *(0.1397992467, -0.3554220649, 0.4394217877, 1.4588397512, -0.3886829615, 0.4353492889),
    *(1.7420053483, -0.4434654615, -0.1515747891, -0.2668451725, -1.4549617756),
)
"""The 29 columns of one card transaction."""
INFER: Final = "/v1/api/pipelines/infer/ccfraud-1/ccfraud"
CHAT: Final = "/openai/v1/chat/completions"
UPLOAD: Final = "/v1/api/models/upload"
JSON: Final = "application/json; format=pandas-records"
ARROW: Final = "application/vnd.apache.arrow.file"
BLOCK: Final = 1 << 20
BOUNDARY: Final = "an-old-programs-boundary"
TIMEOUT: Final = 30.0


@dataclass(frozen=True, slots=True)
class Result:
    """What one request came to.

    Attributes:
        status: 0 where no answer came.
        sent, received: bytes of the bodies.
        seconds: from the first byte sent to the last one received.
        spread: seconds from the first piece of the answer's body to the last.
        fault: what was wrong with the answer, or why there is none; empty if nothing.
    """

    kind: str
    status: int
    sent: int = 0
    received: int = 0
    seconds: float = 0.0
    spread: float = 0.0
    fault: str = ""


@dataclass(frozen=True, slots=True)
class Work:
    """One kind of request: what is sent, and what to find fault with in the answer."""

    kind: str
    path: str
    headers: Mapping[str, str]
    body: Callable[[], Iterator[bytes]]
    length: int
    judge: Callable[[bytes], str]


def records() -> Work:
    """The vendor's sample: one record as pandas-records JSON."""
    body = json.dumps([{"tensor": RECORD}]).encode()

    def judge(answer: bytes) -> str:
        rows = json.loads(answer)
        same = len(rows) == 1 and rows[0]["in"]["tensor"] == list(RECORD)
        sane = same and 0 <= rows[0]["out"]["dense_1"][0] <= 1
        return "" if sane else "the answer is not about the record that was sent"

    return Work("records", INFER, {"Content-Type": JSON}, lambda: iter([body]), len(body), judge)


def arrow(batch: bytes, expected: bytes) -> Work:
    """An Arrow file there and back; the answer is held against a known good one."""

    def judge(answer: bytes) -> str:
        return "" if answer == expected else "the Arrow answer differs from the known good one"

    headers = {"Content-Type": ARROW, "Accept": ARROW}
    return Work("arrow", INFER, headers, lambda: iter([batch]), len(batch), judge)


def chat() -> Work:
    """A chat completion, streamed as server-sent events."""
    question = [{"role": "user", "content": "Where do my tokens come from?"}]
    body = json.dumps({"model": "demo", "stream": True, "messages": question}).encode()

    def judge(answer: bytes) -> str:
        events = [line[6:] for line in answer.split(b"\n") if line.startswith(b"data: ")]
        if not events or events[-1] != b"[DONE]":
            return "the stream broke off"
        pieces = [json.loads(event)["choices"][0] for event in events[:-1]]
        return "" if pieces[-1]["finish_reason"] == "stop" else "the stream has no proper end"

    headers = {"Content-Type": "application/json", "Accept": "text/event-stream"}
    return Work("chat", CHAT, headers, lambda: iter([body]), len(body), judge)


def upload(size: int) -> Work:
    """A model of ``size`` bytes as multipart/form-data, sent block by block."""
    noise = random.Random(size).randbytes(BLOCK)  # noqa: S311 - filler, not a secret
    disposition = 'form-data; name="file"; filename="model.onnx"'
    head = f"--{BOUNDARY}\r\nContent-Disposition: {disposition}\r\n"
    head += "Content-Type: application/octet-stream\r\n\r\n"
    tail = f"\r\n--{BOUNDARY}--\r\n"

    def model() -> Iterator[bytes]:
        for number in range(size // BLOCK):  # each is numbered: a lost or swapped one shows
            yield number.to_bytes(8, "big") + noise[8:]
        yield noise[: size % BLOCK]

    def body() -> Iterator[bytes]:
        yield head.encode()
        yield from model()
        yield tail.encode()

    digest = hashlib.sha256()
    for block in model():
        digest.update(block)
    expected = {"bytes": size, "sha256": digest.hexdigest()}

    def judge(answer: bytes) -> str:
        return "" if json.loads(answer) == expected else "the upload's SHA-256 differs"

    headers = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return Work("upload", UPLOAD, headers, body, len(head) + size + len(tail), judge)


def perform(work: Work, netloc: str) -> Result:
    """Send one request, read its answer to the end, judge it."""
    connection = HTTPConnection(netloc, timeout=TIMEOUT)
    began = time.monotonic()
    try:
        headers = {**work.headers, "Content-Length": str(work.length)}
        connection.request("POST", work.path, body=work.body(), headers=headers)
        response = connection.getresponse()
        answer, spread = _read(response)
        fault = _judge(work, answer) if response.status == 200 else _excerpt(answer)
    except (OSError, HTTPException) as error:
        return Result(work.kind, 0, fault=f"{type(error).__name__}: {error}")
    finally:
        connection.close()
    ended = time.monotonic()
    return Result(
        kind=work.kind,
        status=response.status,
        sent=work.length,
        received=len(answer),
        seconds=ended - began,
        spread=spread,
        fault=fault,
    )


def _read(response: HTTPResponse) -> tuple[bytes, float]:
    """The body, and the seconds from its first piece to its last."""
    pieces: list[bytes] = []
    first = last = time.monotonic()
    while piece := response.read1(BLOCK):
        last = time.monotonic()
        if not pieces:
            first = last
        pieces.append(piece)
    return b"".join(pieces), last - first


def _judge(work: Work, answer: bytes) -> str:
    try:
        return work.judge(answer)
    except (ValueError, LookupError, TypeError) as error:
        return f"the answer can't be read: {type(error).__name__}: {_excerpt(answer)}"


def _excerpt(answer: bytes) -> str:
    return " ".join(answer[:200].decode("utf-8", "replace").split())


def repeat(work: Work, netloc: str, until: float, say: Callable[[Result], None]) -> None:
    """Do it over and over until the moment given (monotonic), at least once."""
    while True:
        say(perform(work, netloc))
        if time.monotonic() + PAUSES[work.kind] >= until:
            return
        time.sleep(PAUSES[work.kind])


def main(arguments: list[str]) -> int:
    """All four kinds of work at the same time, for so many seconds."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("netloc", help="where the API is: HOST:PORT")
    parser.add_argument("--batch", type=Path, required=True, help="an Arrow file to send")
    parser.add_argument("--expected", type=Path, required=True, help="its known good answer")
    parser.add_argument("--size", type=int, default=64 << 20, help="bytes of the uploaded model")
    parser.add_argument("--seconds", type=float, default=0.0, help="0: each kind once")
    options = parser.parse_args(arguments)
    lock = threading.Lock()

    def say(result: Result) -> None:
        with lock:
            sys.stdout.write(json.dumps(asdict(result)) + "\n")
            sys.stdout.flush()

    batch = arrow(options.batch.read_bytes(), options.expected.read_bytes())
    kinds = (records(), batch, chat(), upload(options.size))
    until = time.monotonic() + options.seconds
    threads = [
        threading.Thread(target=repeat, args=(kind, options.netloc, until, say)) for kind in kinds
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
