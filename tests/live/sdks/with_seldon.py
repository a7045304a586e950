"""Seldon's SDK, unchanged: python with_seldon.py BASE WAY SECRET.

``WAY``: client_credentials, password_grant, auth_code (the code comes on stdin), session or
session_cookie. Tells what it listed and what it holds.
"""

from __future__ import annotations

import contextlib
import json
import sys

from seldon_deploy_sdk import ApiClient, Configuration, SeldonDeploymentsApi
from seldon_deploy_sdk.auth import OIDCAuthenticator, SessionAuthenticator

base, way, secret = sys.argv[1:]
config = Configuration()
config.host = f"{base}/seldon-deploy/api/v1alpha1"
cookie = None
with contextlib.redirect_stdout(sys.stderr):  # it tells people where to log in
    if way.startswith("session"):
        config.auth_method = "password_grant"
        config.username, config.password = "mary", secret
        authenticator = SessionAuthenticator(config)
    else:
        config.auth_method = way
        config.oidc_server = f"{base}/auth/realms/deploy-realm"
        config.oidc_client_id = "sd-api"
        config.oidc_client_secret = secret
        config.username, config.password = "mary", secret
        authenticator = OIDCAuthenticator(config)
    held = authenticator.authenticate()
if way == "session_cookie":
    cookie = held
else:
    config.id_token = held
api = SeldonDeploymentsApi(ApiClient(config, cookie=cookie, authenticator=authenticator))
listed = [one.metadata.name for one in api.list_seldon_deployments("staging").items]
json.dump({"held": [held], "listed": listed}, sys.stdout)
