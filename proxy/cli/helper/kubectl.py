"""An exec plugin of Kubernetes' clients: an ``ExecCredential`` on stdout.

Decides which version is spoken and until when the client may keep the token; Kubernetes,
client.authentication.k8s.io/v1 (and v1beta1, which says the same of a token).
"""

from __future__ import annotations

import json
import os
import sys
import time

from proxy.cli.helper.wanted import ProtocolError, Wanted
from proxy.client.lent import Lent

GROUP = "client.authentication.k8s.io"
VERSIONS = (f"{GROUP}/v1", f"{GROUP}/v1beta1")
MARGIN = 10.0
"""Seconds before its end at which the client asks again; a tenth of what is left, if less."""


def serve(wanted: Wanted) -> int:
    """Print the credential; raises as ``lending_out.lent``, and ProtocolError."""
    version = spoken(os.environ.get("KUBERNETES_EXEC_INFO"))
    sys.stdout.write(credential(version, wanted.lent(), time.time()))
    return 0


def spoken(told: str | None) -> str:
    """The version to answer in, by what the client tells of itself.

    Raises:
        ProtocolError: it is none that is known here.
    """
    if told is None:
        return VERSIONS[0]
    try:
        version = json.loads(told)["apiVersion"]
    except (ValueError, TypeError, KeyError, RecursionError):
        raise ProtocolError("KUBERNETES_EXEC_INFO holds no ExecCredential") from None
    if version not in VERSIONS:
        raise ProtocolError(
            f"this client speaks another version than {' or '.join(VERSIONS)}: set"
            f" `apiVersion: {VERSIONS[0]}` at `exec` in the kubeconfig"
        )
    return str(version)


def credential(version: str, lent: Lent, now: float) -> str:
    """The ``ExecCredential``; ``now``: seconds since the epoch."""
    status = {"token": lent.token.reveal()}
    if lent.expires_in is not None:
        ends = now + lent.expires_in - min(MARGIN, lent.expires_in / 10)
        status["expirationTimestamp"] = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(ends))
    return json.dumps({"kind": "ExecCredential", "apiVersion": version, "status": status}) + "\n"
