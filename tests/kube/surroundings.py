"""A provider, an API and a Redis on the node, for as long as a program runs.

``python -m tests.kube.surroundings PROGRAM …``, inside the lab. The provider is a real Keycloak,
which trusts the cluster's service accounts; the API believes it alone.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import tempfile
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import aiohttp

from tests.kube.api import serving_api
from tests.kube.lab.place import ISSUER, NODE
from tests.kube.told import (
    CHANGING,
    CLIENT,
    LIFETIME,
    NEXT_SECRET,
    REDIS_PASSWORD,
    SECRET,
    SUBJECT,
    WORKLOAD,
    Surroundings,
)
from tests.live.admin import Administrator
from tests.live.keycloak import TODAYS, Keycloak
from tests.live.processes import serving
from tests.support.certificates import Authority, Pair
from tests.support.process import free_port

REALM = "main"
CLUSTER = {
    "issuer": ISSUER,
    "jwksUrl": f"{ISSUER}/openid/v1/jwks",
    "useJwksUrl": "true",
    "validateSignature": "true",
    "supportsClientAssertions": "true",
    "supportsClientAssertionReuse": "true",
    "clientId": "nobody",
    "clientSecret": "nothing",
    "authorizationUrl": f"{ISSUER}/nowhere",
    "tokenUrl": f"{ISSUER}/nowhere",
}
"""How Keycloak comes to believe a cluster it does not run in: as an OpenID provider, whose people
never log in. Its own kind for Kubernetes, an experiment in 26.4, refuses the same tokens. A pod's
token is shown again and again until the kubelet renews it.
"""

DISCOVERY = (
    *("kubectl", "create", "clusterrolebinding", "who-vouches-for-service-accounts"),
    *("--clusterrole=system:service-account-issuer-discovery", "--group=system:unauthenticated"),
)


async def main(program: Sequence[str]) -> int:
    """The program's exit code."""
    logs = Path(os.environ["KUBE_LAB"])
    async with AsyncExitStack() as stack:
        work = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=logs)))
        http = await stack.enter_async_context(aiohttp.ClientSession())
        authority = Authority(work)
        shown = authority.issue("node", addresses=(NODE, "127.0.0.1"))
        keycloak = Keycloak(TODAYS, logs, shown, believed(work, authority, logs), "0.0.0.0")
        stack.push_async_callback(keycloak.kill)
        await keycloak.start(http)
        await enrol(Administrator(keycloak, http))
        issuer = f"https://{NODE}:{keycloak.secure_port}/auth/realms/{REALM}"
        keys = f"{keycloak.base}/realms/{REALM}/protocol/openid-connect/certs"
        api, books = await stack.enter_async_context(
            serving_api(http, issuer, keys, authority.server_context(shown))
        )
        redis = await stack.enter_async_context(serving_redis(work, shown, authority, logs))
        told = Surroundings(issuer, api, books, redis, str(authority.ca_file))
        process = await asyncio.create_subprocess_exec(*program, env=told.environment())
        return await process.wait()


def believed(work: Path, authority: Authority, lab: Path) -> Path:
    """Whom the provider believes: our own authority and the cluster's, in one file."""
    both = work / "believed.pem"
    both.write_text(authority.ca_file.read_text() + (lab / "papers/ca.pem").read_text())
    return both


async def enrol(administrator: Administrator) -> None:
    """A realm, its clients, and the cluster as somebody whose word on its workloads is taken."""
    await asyncio.to_thread(subprocess.run, DISCOVERY, check=True, stdout=subprocess.DEVNULL)
    await administrator.realm(REALM)
    await administrator.client(REALM, CLIENT, SECRET, LIFETIME)
    await administrator.client(REALM, CHANGING, NEXT_SECRET, LIFETIME)
    cluster = {"alias": "cluster", "providerId": "oidc", "config": CLUSTER}
    await administrator.trust(REALM, cluster)
    await administrator.register(
        REALM,
        {
            "clientId": WORKLOAD,
            "clientAuthenticatorType": "federated-jwt",
            "attributes": {
                "access.token.lifespan": str(LIFETIME),
                "jwt.credential.issuer": "cluster",
                "jwt.credential.sub": SUBJECT,
            },
        },
    )


@asynccontextmanager
async def serving_redis(
    work: Path, shown: Pair, authority: Authority, logs: Path
) -> AsyncIterator[str]:
    """A Redis that speaks TLS only and knows one user, until the block ends; its ``host:port``."""
    port = free_port()
    options = f"""port 0
tls-port {port}
tls-cert-file {shown.cert_file}
tls-key-file {shown.key_file}
tls-ca-cert-file {authority.ca_file}
tls-auth-clients no
protected-mode no
save ""
dir {work}
user default off
user sidecar on >{REDIS_PASSWORD} ~* &* +@all
"""
    (work / "redis.conf").write_text(options)
    command = ("redis-server", str(work / "redis.conf"))
    async with serving(*command, port=port, log=logs / "redis.log"):
        yield f"{NODE}:{port}"


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
