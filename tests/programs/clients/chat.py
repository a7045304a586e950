"""The OpenAI client: whole answers, streamed ones, and leaving in the middle: ``chat.py BASE``.

The upstream's answers have the token's name for their id.
"""

import asyncio
import json
import sys
import time
from typing import Any

import openai

WORDS = "tell me what a token is worth and when it ends " * 200
SAID: Any = [{"role": "user", "content": WORDS}]
MINE = "definitely_an_access_token"


def whole(client: openai.OpenAI) -> dict[str, Any]:
    """Ask until three tokens were used."""
    ids, right = set(), 0
    while len(ids) < 3:
        answer = client.chat.completions.create(model="short", messages=SAID)
        ids.add(answer.id)
        right += answer.choices[0].message.content == WORDS
        time.sleep(0.02)
    return {"ids": sorted(ids), "right": right}


def streamed(client: openai.OpenAI) -> dict[str, Any]:
    """One answer in many pieces."""
    stream = client.chat.completions.create(model="short", messages=SAID, stream=True)
    pieces = [chunk.choices[0].delta.content or "" for chunk in stream]
    return {"pieces": len(pieces), "right": "".join(pieces) == WORDS}


def closed(client: openai.OpenAI) -> float:
    """The moment when an answer without an end was closed."""
    stream = client.chat.completions.create(model="endless", messages=SAID, stream=True)
    for _, _ in zip(range(300), stream, strict=False):
        pass
    at = time.time()
    stream.close()
    return at


async def cancelled(base: str) -> float:
    """The moment when the task that read such an answer was cancelled."""
    enough = asyncio.Event()

    async def read() -> None:
        async with openai.AsyncOpenAI(base_url=base, api_key=MINE) as client:
            count = 0
            async for _ in await client.chat.completions.create(
                model="endless", messages=SAID, stream=True
            ):
                count += 1
                if count == 300:
                    enough.set()

    task = asyncio.create_task(read())
    await enough.wait()
    at = time.time()
    task.cancel()
    await asyncio.wait([task])
    return at


def main(base: str) -> dict[str, Any]:
    with openai.OpenAI(base_url=base, api_key=MINE, max_retries=0) as client:
        report = {"version": openai.__version__, "streamed": streamed(client)}
        report |= {"whole": whole(client), "closed": closed(client)}
        return report | {"cancelled": asyncio.run(cancelled(base))}


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
