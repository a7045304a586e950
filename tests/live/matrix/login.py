"""``token-sidecar login NAME`` by a person whose browser is a script."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Coroutine
from typing import Any

from tests.live.scripted_browser import Person
from tests.live.sidecar import Installation
from tests.support.process import PROGRAM, environment

ADDRESS = re.compile(r"https?://[^\s'\"<>]+")
CODE = re.compile(r"(?m)^ +([A-Z0-9]{4}-?[A-Z0-9]{4})$")
BY_CODE = "on any device"
PATIENCE = 60.0
"""Seconds that a login may take."""


async def log_in(installation: Installation, name: str) -> list[str]:
    """Log in; what went wrong, empty if nothing did."""
    process = await asyncio.create_subprocess_exec(
        *(*PROGRAM, "login", name, "--no-browser", "--config", str(installation.file)),
        cwd=installation.home,
        env=environment(installation.home, installation.environ),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    said: list[str] = []
    try:
        async with asyncio.timeout(PATIENCE):
            await follow(process, said)
            code = await process.wait()
    except (TimeoutError, AssertionError) as error:
        return [f"login {name}: {error!r}\n{''.join(said)}"]
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return [] if code == 0 else [f"login {name} ended with {code}:\n{''.join(said)}"]


async def follow(process: asyncio.subprocess.Process, said: list[str]) -> None:
    """Read what it says, until it has ended; meanwhile the person goes where it says."""
    assert process.stdout is not None
    went = None
    async for line in process.stdout:
        said.append(line.decode())
        if went is None and (person := reader("".join(said))):
            went = asyncio.create_task(person)
    if went is not None:
        await went


def reader(told: str) -> Coroutine[Any, Any, str] | None:
    """A person who goes where this says, once all that one needs was said.

    The code goes along in the address, as in the QR code: Keycloak 26.4.5 answers a script that
    sends its form for the code with ``invalid_client``.
    """
    address, code = ADDRESS.search(told), CODE.search(told)
    if address is None or (BY_CODE in told and code is None):
        return None
    return Person().visit(f"{address[0]}?user_code={code[1]}" if code else address[0])
