"""A token fetched once and kept, as people do by hand: it works, and then it doesn't."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from typing import Final

from proxy.demo.calls import CallError, call
from proxy.demo.legacy import INFER, JSON, RECORD
from proxy.demo.setting import BY_HAND, Where
from proxy.demo.verdict import ByHand

SPARE: Final = 0.2
"""Seconds after the token's end at which it is tried again."""


async def by_hand(where: Where, secret: str) -> ByHand:
    """Fetch a token, use it at once, use it again when its life is over.

    Raises:
        CallError: the provider or the API does not answer.
    """
    token, lifetime = await asyncio.to_thread(_fetch, where.issuer, secret)
    fetched = time.monotonic()
    first = await asyncio.to_thread(_infer, where.api, token)
    await asyncio.sleep(fetched + lifetime + SPARE - time.monotonic())
    later = await asyncio.to_thread(_infer, where.api, token)
    return ByHand(first, later, time.monotonic() - fetched)


def _fetch(issuer: str, secret: str) -> tuple[str, float]:
    credential = base64.b64encode(f"{BY_HAND}:{secret}".encode()).decode()
    headers = {
        "Authorization": f"Basic {credential}",
        "Content-Type": "application/x-www-form-urlencoded",
    }
    status, body = call("POST", f"{issuer}/token", b"grant_type=client_credentials", headers)
    if status != 200:
        raise CallError(f"the provider refuses the token by hand: status {status}")
    answer = json.loads(body)
    return answer["access_token"], answer["expires_in"]


def _infer(api: str, token: str) -> int:
    headers = {"Authorization": f"Bearer {token}", "Content-Type": JSON}
    status, _ = call("POST", api + INFER, json.dumps([{"tensor": RECORD}]).encode(), headers)
    return status
