"""Run:ai's SDK, unchanged: python with_runai.py BASE SECRET. Tells what it listed and holds."""

from __future__ import annotations

import json
import sys

from runai.api_client import ApiClient
from runai.configuration import Configuration
from runai.runai_client import RunaiClient

base, secret = sys.argv[1:]
configuration = Configuration(
    client_id="an-app", client_secret=secret, runai_base_url=base, retry_enabled=False
)
client = ApiClient(configuration)
projects = RunaiClient(client).organizations.projects
held, listed = [client._token], [projects.get_projects().data]
client.token_refresher._token_expiry = 0  # as when the token is about to end
listed.append(projects.get_projects().data)
held.append(client._token)
json.dump(
    {"held": held, "listed": listed, "expiry": client.token_refresher._token_expiry}, sys.stdout
)
