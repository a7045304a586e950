"""A real Chromium without a window, driven by its own driver: nothing is downloaded.

Selenium's calls block: run them with ``asyncio.to_thread`` where a loop must go on.
"""

from __future__ import annotations

import contextlib
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

from selenium.webdriver import Chrome, ChromeOptions
from selenium.webdriver.chrome.service import Service


@contextlib.contextmanager
def chromium(
    profile: Path,
    *,
    trusting: bool = False,
    watched: bool = False,
    arguments: Sequence[str] = (),
) -> Iterator[Chrome]:
    """A browser with an empty profile in a new directory ``profile``, until the block ends.

    Args:
        profile: the directory.
        trusting: any certificate will do.
        watched: its log of every request can be read.
        arguments: further ones of its command line.
    """
    options = ChromeOptions()
    options.binary_location = program("chromium")
    options.accept_insecure_certs = trusting
    if watched:
        options.set_capability("goog:loggingPrefs", {"performance": "ALL", "browser": "ALL"})
    for option in (
        "--headless=new",
        "--no-sandbox",  # its own needs user namespaces, which containers rarely give
        "--disable-gpu",
        "--disable-dev-shm-usage",
        "--disable-background-networking",
        "--no-first-run",
        f"--user-data-dir={profile}",
        *arguments,
    ):
        options.add_argument(option)
    log = str(profile.with_suffix(".log"))
    driver = Chrome(options, Service(program("chromedriver"), log_output=log))
    try:
        driver.set_page_load_timeout(60)
        yield driver
    finally:
        driver.quit()


def program(name: str) -> str:
    """Where a program of the system is; LookupError where it is not."""
    found = shutil.which(name)
    if found is None:
        raise LookupError(f"{name} is not installed")
    return found
