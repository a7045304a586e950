"""One credential that a person logs in for, its ``login``, and what Chromium does meanwhile."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import aiohttp
import yaml
from selenium.webdriver import Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.support.wait import WebDriverWait

from tests.live.ports import accepts
from tests.live.tenants import MARY, MARYS_PASSWORD
from tests.support.person import AtTerminal, at_terminal
from tests.support.process import Finished, Sidecar, command, free_ports, running, until

T = TypeVar("T")
PATIENCE = 60.0
"""Seconds that Chromium gets for one page: the machine may have much to do."""


@dataclass(frozen=True, slots=True)
class Installed:
    """A configuration with the credential ``mine`` and a route to an API that wants its token.

    Attributes:
        keys: of the credential.
        api: where the token is judged: the provider's own userinfo endpoint.
    """

    home: Path
    keys: dict[str, Any]
    api: str
    data: str = field(default_factory=lambda: f"127.0.0.1:{free_ports(1)[0]}")

    @property
    def file(self) -> Path:
        """The configuration, written anew."""
        path = self.home / "token-sidecar.yaml"
        whole = {
            "listen": self.data,
            "admin": "off",
            "state_dir": "state",
            "store": {"file": "tokens"},
            "credentials": {"mine": self.keys},
            "routes": [{"path": "/", "upstream": self.api, "credential": "mine"}],
        }
        path.write_text(yaml.safe_dump(whole))
        return path

    def login(self, *arguments: str) -> AbstractAsyncContextManager[AtTerminal]:
        """``token-sidecar login mine`` without a browser of its own."""
        whole = ["login", "mine", "--config", str(self.file), "--no-browser", *arguments]
        return at_terminal(whole, self.home, {})

    async def logout(self) -> Finished:
        """``token-sidecar logout mine``."""
        return await command("logout", "mine", "--config", str(self.file), home=self.home)

    @contextlib.asynccontextmanager
    async def serving(self) -> AsyncIterator[Sidecar]:
        """The sidecar, from when it listens."""
        async with running(self.file, self.home) as sidecar:
            port = int(self.data.rpartition(":")[2])
            await until(lambda: accepts(port), deadline=20, what="its listening")
            yield sidecar

    async def ask(self) -> tuple[int, str]:
        """What the API says to a request through the sidecar."""
        async with (
            aiohttp.ClientSession() as client,
            client.get(f"http://{self.data}/") as answer,
        ):
            return answer.status, await answer.text()


class Window:
    """A Chromium whose calls do not hold up the loop."""

    def __init__(self, chromium: Chrome) -> None:
        self._chromium = chromium

    async def do(self, act: Callable[[Chrome], T]) -> T:
        """Something with the driver itself."""
        return await asyncio.to_thread(act, self._chromium)

    async def go(self, url: str) -> None:
        """Go there and wait for the page; one that can't be reached is as good."""
        with contextlib.suppress(Exception):
            await self.do(lambda driver: driver.get(url))

    async def shows(self, text: str) -> None:
        """Wait until this can be read on the page."""
        try:
            await self.do(
                lambda driver: WebDriverWait(driver, PATIENCE).until(
                    lambda shown: text in shown.find_element(By.TAG_NAME, "body").text
                )
            )
        except Exception as error:
            raise AssertionError(f"{text!r} is not in {await self.text()!r}") from error

    async def text(self) -> str:
        """What can be read on the page, and its address."""
        return await self.do(
            lambda driver: f"{driver.current_url}\n{driver.find_element(By.TAG_NAME, 'body').text}"
        )

    async def arrives(self, at: str) -> str:
        """Wait until the address begins so; the whole of it."""
        return await self.do(
            lambda driver: (
                WebDriverWait(driver, PATIENCE).until(lambda d: d.current_url.startswith(at))
                and driver.current_url
            )
        )

    async def click(self, selector: str) -> None:
        """Click what a CSS selector finds, once it is there."""

        def act(driver: Chrome) -> None:
            found = WebDriverWait(driver, PATIENCE).until(
                lambda d: d.find_elements(By.CSS_SELECTOR, selector)
            )
            found[0].click()

        with contextlib.suppress(ConnectionError):
            await self.do(act)

    async def sign_in(self, username: str, password: str) -> None:
        """Fill in the two fields of these names with Mary's, and send them."""

        def act(driver: Chrome) -> None:
            waiting = WebDriverWait(driver, PATIENCE)
            waiting.until(lambda d: d.find_elements(By.NAME, username))
            driver.find_element(By.NAME, username).send_keys(MARY)
            field = driver.find_element(By.NAME, password)
            field.send_keys(MARYS_PASSWORD)
            field.submit()

        await self.do(act)
