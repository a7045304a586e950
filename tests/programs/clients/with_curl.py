"""The exercise with curl, a process for each step."""

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator
from email.parser import BytesHeaderParser
from pathlib import Path

from exercise import OTHERS, Answer

CURL = ("curl", "--silent", "--show-error", "--no-buffer", "--max-time", "30")
MANY = 10_000


class Client:
    """``opened`` counts for ``poll`` only: there curl keeps its connection."""

    def __init__(self) -> None:
        self.opened = 0
        self.version = subprocess.check_output(["curl", "--version"], text=True).split()[1]

    def send(self, method, url, body, headers) -> Answer:
        with tempfile.TemporaryDirectory() as directory:
            seen = Path(directory, "head")
            options = ["--location", "--compressed", "--dump-header", str(seen)]
            options += ["--head"] if method == "HEAD" else ["--request", method]
            options += [f"-H{name}: {value}" for name, value in headers.items()]
            given = body if body is None or isinstance(body, bytes) else b"".join(body)
            if given is not None:
                options += ["--data-binary", "@-"]
            if given is not body:
                options += ["-HTransfer-Encoding: chunked"]
            out = subprocess.run(  # noqa: PLW1510 - what it says on stderr is told below
                [*CURL, *options, url], input=given, capture_output=True
            )
            assert out.returncode == 0, out.stderr.decode()
            status, fields = _last_head(seen.read_bytes())
        return Answer(status, b"" if method == "HEAD" else out.stdout, fields)

    @contextlib.contextmanager
    def stream(self, url: str) -> Iterator[Iterator[bytes]]:
        with subprocess.Popen([*CURL, url], stdout=subprocess.PIPE) as process:
            yield iter(process.stdout)
            process.kill()

    def poll(self, url: str) -> Iterator[Answer]:
        form = r" %{http_code} %{num_connects}\n"
        options = ["--rate", "40/s", "--write-out", form]
        options += [f"-H{name}: {value}" for name, value in OTHERS.items()]
        with self.stream_of(options, f"{url}?[1-{MANY}]") as lines:
            for line in lines:
                body, status, opened = line.split()
                self.opened += int(opened)
                yield Answer(int(status), body)

    @contextlib.contextmanager
    def stream_of(self, options: list[str], url: str) -> Iterator[Iterator[bytes]]:
        with subprocess.Popen([*CURL, *options, url], stdout=subprocess.PIPE) as process:
            try:
                yield iter(process.stdout)
            finally:
                process.kill()


def _last_head(dump: bytes) -> tuple[int, BytesHeaderParser]:
    """Status and fields of the last answer: there may have been a 100 or a redirect before."""
    line, _, fields = dump.strip().split(b"\r\n\r\n")[-1].partition(b"\r\n")
    return int(line.split()[1]), BytesHeaderParser().parsebytes(fields)
