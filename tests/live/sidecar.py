"""A recipe made ready to run: a directory, free ports, a configuration file, an environment."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from tests.live.ports import accepts
from tests.support.process import Finished, Sidecar, command, free_ports, running, until

GRACE = 40.0
"""Seconds from SIGTERM to exit that a test allows."""


@dataclass(frozen=True, slots=True)
class Installation:
    """One sidecar that may be started; ``base`` is where programs will ask."""

    home: Path
    port: int
    admin: str
    environ: Mapping[str, str]

    @property
    def base(self) -> str:
        """The data plane's URL."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def file(self) -> Path:
        """The configuration."""
        return self.home / "config.yaml"

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[Sidecar]:
        """The process, from when it listens; afterwards it must end with exit code 0."""
        environ = {"TOKEN_SIDECAR_DEBUG": "1", **self.environ}  # a fault shows where it arose
        async with running(self.file, self.home, admin=self.admin, environ=environ) as sidecar:

            async def listens() -> bool:
                assert sidecar.process.returncode is None, sidecar.err
                return await accepts(self.port)

            try:
                await until(listens, deadline=60, what="its listening")
            except TimeoutError as error:
                raise AssertionError(f"the sidecar does not start:\n{sidecar.err}") from error
            yield sidecar
            assert await sidecar.stop(GRACE) == 0, sidecar.err

    async def check_online(self) -> Finished:
        """``check --online`` on the same file."""
        arguments = ("check", "--online", "--config", str(self.file))
        return await command(*arguments, home=self.home, environ=self.environ, deadline=60)


def install(home: Path, whole: dict[str, Any], environ: Mapping[str, str]) -> Installation:
    """Write a configuration with free ports into a new directory."""
    port, admin_port = free_ports(2)
    admin = f"127.0.0.1:{admin_port}"
    fixed = {"listen": f"127.0.0.1:{port}", "admin": admin, "state_dir": str(home / "state")}
    home.mkdir(mode=0o700)
    installation = Installation(home, port, admin, environ)
    installation.file.write_text(yaml.safe_dump(whole | fixed))
    return installation
