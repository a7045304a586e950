"""OpenAI's SDK, unchanged: python with_openai.py BASE KEY. Tells what it was answered."""

from __future__ import annotations

import json
import sys

from openai import OpenAI

base, key = sys.argv[1:]
client = OpenAI(base_url=f"{base}/v1", api_key=key, max_retries=0)
said = client.chat.completions.create(
    model="m", messages=[{"role": "user", "content": "who am I?"}]
)
json.dump({"held": [key], "listed": [said.choices[0].message.content]}, sys.stdout)
