"""docs/python.md: what it shows runs as it stands there."""

from __future__ import annotations

import asyncio
import re
import sys

import pytest

from tests.client.conftest import Scene
from tests.support.process import REPOSITORY, environment

EXAMPLES = re.findall(
    r"^```python\n(.*?)^```", (REPOSITORY / "docs/python.md").read_text(), re.DOTALL | re.MULTILINE
)


def test_there_is_one_for_each_way() -> None:
    assert len(EXAMPLES) == 5


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda text: text.split("\n")[0])
async def test_an_example_runs(scene: Scene, example: str) -> None:
    environ = scene.environ | {"TOKEN_SIDECAR_CONFIG": str(scene.config()), "NO_PROXY": "*"}
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        "-c",
        example.replace("https://api.example.com", scene.api.url),
        env=environment(scene.home, environ),
        stderr=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
    )
    out, err = await asyncio.wait_for(process.communicate(), 60)
    assert (process.returncode, err.decode()) == (0, "")
    assert b"token-" not in out
    assert scene.provider.asked >= 1
