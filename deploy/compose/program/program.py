"""Asks an API that wants a token, over and over, and has none: that is the sidecar's business.

The API is Keycloak's own: who does it believe that we are?
"""

import json
import os
import sys
import time
import urllib.error
import urllib.request

API = os.environ.get("API", "http://127.0.0.1:8080")
PAUSE = 5


def ask():
    """What the API says, in a line."""
    try:
        with urllib.request.urlopen(f"{API}/userinfo", timeout=90) as answer:
            return f"{answer.status} {json.load(answer)['preferred_username']}"
    except urllib.error.HTTPError as error:
        return f"{error.code} {error.reason}"


if __name__ == "__main__":
    times = int(sys.argv[1]) if sys.argv[1:] else sys.maxsize
    for turn in range(times):
        time.sleep(PAUSE if turn else 0)
        print(ask(), flush=True)
