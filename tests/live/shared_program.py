"""A Python program that lives by a shared login: ``python -m tests.live.shared_program``.

Its arguments: the configuration, the credential, the URL to ask, for how many seconds. It prints
as JSON how many requests were served, and why others were not.
"""

from __future__ import annotations

import json
import random
import sys
import time

import httpx

from proxy.client.httpx import SidecarAuth
from proxy.client.source import TokenSource
from proxy.errors import SidecarError

PAUSE = 0.2


def main(config: str, name: str, url: str, seconds: float) -> None:
    """Ask until the time is over."""
    served, failures, end = 0, list[str](), time.monotonic() + seconds
    with httpx.Client(auth=SidecarAuth(TokenSource(name, config=config))) as http:
        while time.monotonic() < end:
            try:
                answer = http.get(url)
            except (SidecarError, httpx.HTTPError) as error:
                failures.append(f"{type(error).__name__}: {error}")
            else:
                served += answer.is_success
                failures += [] if answer.is_success else [f"{answer.status_code}: {answer.text}"]
            time.sleep(random.uniform(0, PAUSE))
    json.dump({"served": served, "failures": failures}, sys.stdout)


if __name__ == "__main__":
    main(*sys.argv[1:4], float(sys.argv[4]))
