"""The files of the demonstration, all in one directory that goes when it ends."""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from proxy.demo import legacy, model
from proxy.demo.setting import PASSWORD_FILE

ROWS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Scenery:
    """Where things lie."""

    directory: Path

    @property
    def batch(self) -> Path:
        """The Arrow file that the old program sends."""
        return self.directory / "batch.arrow"

    @property
    def expected(self) -> Path:
        """Its known good answer."""
        return self.directory / "expected.arrow"

    @property
    def record(self) -> Path:
        """The record of 29 columns, for curl."""
        return self.directory / "record.json"

    @property
    def config(self) -> Path:
        """The sidecar's configuration."""
        return self.directory / "token-sidecar.yaml"

    def log(self, name: str) -> Path:
        """Where the process called so writes what it has to say."""
        return self.directory / f"{name}.log"

    def build(self, password: str) -> None:
        """Write everything but the configuration."""
        batch = model.batch(ROWS)
        self.batch.write_bytes(batch)
        self.expected.write_bytes(model.infer_arrow(batch))
        self.record.write_text(json.dumps([{"tensor": legacy.RECORD}]) + "\n")
        secret = self.directory / PASSWORD_FILE
        secret.touch(mode=0o600)
        secret.write_text(f"{password}\n")

    def program(self, netloc: str, seconds: float) -> tuple[str, ...]:
        """The command that starts the old program: the bare interpreter, no packages."""
        files = ("--batch", str(self.batch), "--expected", str(self.expected))
        source = str(Path(legacy.__file__))
        return (sys.executable, "-I", "-S", source, netloc, *files, "--seconds", f"{seconds:g}")
