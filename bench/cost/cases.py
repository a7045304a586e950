"""What is sent: the request of each case, as a script for wrk."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

RECORD = (b'[{"tensor":[' + b"1.0678324729," * 32)[:417] + b"]}]"


@dataclass(frozen=True, slots=True)
class Case:
    """One row of the results; ``must`` and ``aim`` are ratios to Envoy's CPU per request."""

    name: str
    must: float
    aim: float
    tls: bool = False
    path: str = "/v1/infer"
    connections: int = 32
    body: int = 0
    vary: bool = False

    def script(self, home: Path) -> list[str]:
        """Wrk's arguments for the request."""
        if not self.body:
            return []
        body, script = home / f"{self.name}.body", home / f"{self.name}.lua"
        body.write_bytes(os.urandom(self.body) if self.body > len(RECORD) else RECORD)
        varying = (
            "local n=0\nfunction request() n=n+1;"
            ' wrk.headers["X-Request-Id"]=tostring(n); return wrk.format() end\n'
        )
        script.write_text(
            f'local f=io.open("{body}","rb"); wrk.body=f:read("*a"); f:close();'
            ' wrk.method="POST"; wrk.headers["Content-Type"]="application/json"\n'
            + (varying if self.vary else "")
        )
        return ["-s", str(script)]


SMALL, LARGE = len(RECORD), 1 << 20
CASES = (
    Case("small POST", 0.45, 0.30, body=SMALL),
    Case("every head different", 0.60, 0.47, body=SMALL, vary=True),
    Case("one connection", 0.65, 0.52, body=SMALL, connections=1),
    Case("1 MiB down", 0.90, 0.70, path=f"/{LARGE}", connections=8),
    Case("1 MiB up", 1.05, 0.90, body=LARGE, connections=8),
    Case("small over TLS", 0.65, 0.53, body=SMALL, tls=True),
    Case("1 MiB down over TLS", 1.30, 1.17, path=f"/{LARGE}", connections=8, tls=True),
    Case("1 MiB up over TLS", 1.15, 0.94, body=LARGE, connections=8, tls=True),
)
