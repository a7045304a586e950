"""A Chromium that looks at the status page: sizes, colour schemes, axe's judgement, requests."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys

from tests.live.chromium import chromium

DESK, PHONE = 1280, 390
_AXE = "node_modules/axe-core/axe.min.js"
_RUN = """
const done = arguments[arguments.length - 1];
axe.run(document, {resultTypes: ["violations"]}).then(found => done(found.violations.map(one =>
  `${one.impact} ${one.id}: ${one.nodes.map(node => node.target + " " + node.failureSummary)}`)));
"""


class Glass:
    """The browser; its calls do not hold up the loop."""

    def __init__(self, driver: Chrome) -> None:
        self.driver = driver
        self._axe = (Path(os.environ["AXE_HOME"]) / _AXE).read_text()

    async def go(self, url: str) -> None:
        """Go there, and wait for the first news."""
        await asyncio.to_thread(self.driver.get, url)
        await self.until("return known.at !== null")

    async def run(self, script: str, *arguments: object) -> Any:
        """What a script returns."""
        return await asyncio.to_thread(self.driver.execute_script, script, *arguments)

    async def until(self, script: str, deadline: float = 10.0) -> float:
        """Wait until a script returns something true; by ``time.time`` when it was seen."""
        end = time.monotonic() + deadline
        while not await self.run(script):
            if time.monotonic() > end:
                raise AssertionError(
                    f"not true within {deadline:g} s: {script}\n{await self.said()}"
                )
            await asyncio.sleep(0.02)
        return time.time()

    async def says(self, words: str, deadline: float = 10.0) -> float:
        """Wait until the sentence on top has these words; when that was."""
        found = json.dumps(words)
        return await self.until(
            f"return document.getElementById('sentence').textContent.includes({found})", deadline
        )

    async def said(self) -> str:
        """The sentence on top."""
        return str(await self.run("return document.getElementById('verdict').innerText"))

    async def like(
        self, width: int = DESK, scheme: str = "light", media: str = "", motion: str = ""
    ) -> None:
        """Be so wide, and of this scheme."""
        wanted = [{"name": "prefers-color-scheme", "value": scheme}]
        wanted += [{"name": "prefers-reduced-motion", "value": motion}] if motion else []
        await self.cdp("Emulation.setEmulatedMedia", media=media, features=wanted)
        size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 500}
        await self.cdp("Emulation.setDeviceMetricsOverride", **size)

    async def cdp(self, command: str, **arguments: object) -> Any:
        """One command of the DevTools protocol."""
        return await asyncio.to_thread(self.driver.execute_cdp_cmd, command, arguments)

    async def axe(self) -> list[str]:
        """What axe-core finds wrong, of any impact."""
        if not await self.run("return 'axe' in window"):
            await self.run(self._axe)
        found = await asyncio.to_thread(self.driver.execute_async_script, _RUN)
        return [str(one) for one in found]

    async def picture(self, name: str) -> None:
        """A screenshot of the whole page, where somebody wants them: ``STATUS_PAGE_PICTURES``."""
        directory = os.environ.get("STATUS_PAGE_PICTURES")
        if directory is not None:
            shot = await self.cdp("Page.captureScreenshot", captureBeyondViewport=True)
            await asyncio.to_thread(_keep, Path(directory), name, base64.b64decode(shot["data"]))

    async def press(self, *keys: str) -> None:
        """Press keys, wherever the focus is."""

        def send() -> None:
            self.driver.switch_to.active_element.send_keys(*keys)

        await asyncio.to_thread(send)

    async def tab(self) -> str:
        """The next element by the keyboard: what it is, and that its focus can be seen."""
        body = self.driver.find_element(By.TAG_NAME, "body")
        focused = await self.run("return document.activeElement !== document.body")
        if focused:
            await self.press(Keys.TAB)
        else:
            await asyncio.to_thread(body.send_keys, Keys.TAB)
        return str(
            await self.run(
                "const e = document.activeElement, s = getComputedStyle(e);"
                "const seen = s.outlineStyle !== 'none' && parseFloat(s.outlineWidth) >= 2;"
                "return (e.id || e.getAttribute('href') || e.tagName) + (seen ? '' : ' unseen')"
            )
        )

    def requested(self) -> set[str]:
        """Every address that was asked for since the last look, but those inside the page."""
        found = set()
        for line in self.driver.get_log("performance"):
            message = json.loads(line["message"])["message"]
            if message["method"] == "Network.requestWillBeSent":
                found.add(str(message["params"]["request"]["url"]))
        return {url for url in found if not url.startswith("data:")}

    def complaints(self) -> list[str]:
        """What the browser wrote to its console, violations of the policy among it."""
        return [str(one["message"]) for one in self.driver.get_log("browser")]


def _keep(directory: Path, name: str, picture: bytes) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    (directory / f"{name}.png").write_bytes(picture)


@contextlib.contextmanager
def glass(profile: Path) -> Iterator[Glass]:
    """The browser, until the block ends."""
    with chromium(profile, watched=True) as driver:
        yield Glass(driver)
