"""Wallaroo's SDK, unchanged: python with_wallaroo.py BASE AUTH_TYPE. User and password: its own
variables. Tells what it listed, what it holds for a token, and who it believes to be.
"""

from __future__ import annotations

import contextlib
import json
import sys

import wallaroo

base, auth_type = sys.argv[1:]
with contextlib.redirect_stdout(sys.stderr):  # it tells people where to log in
    client = wallaroo.Client(api_endpoint=base, auth_type=auth_type)
    first = client.auth.auth_header()["Authorization"]
    listed = [[one.name(), one.created_by()] for one in client.list_workspaces()]
    client.auth._force_reload()  # as it does before it uploads a model
    second = client.auth.auth_header()["Authorization"]
    again = [one.name() for one in client.list_workspaces()]
json.dump(
    {
        "held": [first, second],
        "listed": listed,
        "again": again,
        "user": [client.auth.user_id(), client.auth.user_email()],
    },
    sys.stdout,
)
