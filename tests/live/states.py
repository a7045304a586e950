"""What the status page may have to show, made up: a control plane whose snapshot a test sets."""

from __future__ import annotations

import contextlib
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from proxy.control import application
from proxy.control.lending import Lendables
from proxy.control.snapshot import Reloads, SecretStatus, Snapshot, WorkerStatus
from proxy.errors import Explanation
from proxy.plane.totals import AccessRecord, RouteTotals
from proxy.tokens.status import LastError
from tests.control.conftest import fail, serve, snapshot, status

HOSTILE = "</script><img src=x onerror='window.hacked=1'><b>\"&"
OUTAGE = "https://id.example.com can't be reached: connection refused"
REFUSAL = Explanation(
    "wrong_secret",
    "the client is known, but its secret is wrong, was renewed, or did not come",
    "copy the secret anew from the client's Credentials tab in Keycloak",
)


def failure(message: str = OUTAGE, explanation: Explanation | None = None) -> LastError:
    return LastError("connect", message, time.time() - 3, explanation)


def down(name: str, *, state: str = "unavailable", error: LastError | None = None):
    return status(
        name,
        state=state,
        expires_in_seconds=0.0,
        next_renewal_in_seconds=4.0,
        failing_since=time.time() - 125,
        last_error=error or failure(),
    )


def well() -> Snapshot:
    credentials = (
        status("inference", last_error=None),
        status("mlops", required=False, lifetime_seconds=900.0, expires_in_seconds=700.0),
        status("fixed", lifetime_seconds=None, expires_in_seconds=None, last_error=None),
        status("exchange", callers=7, field=None, lifetime_seconds=None, last_error=None),
        status("idle", state="empty", required=False, ready=False, field=None, last_error=None),
    )
    return now(credentials=credentials, warnings=())


def outage() -> Snapshot:
    alive = status("mlops", failing_since=time.time() - 40, last_error=failure())
    return now(
        credentials=(status("fine", last_error=None), down("inference"), alive),
        reloads=Reloads(3, 1, False, time.time() - 3600, ("config.yaml:14:7: unknown key",)),
        secrets=(SecretStatus("file /run/secrets/mary", "file", ("mlops",), fault="it is empty"),),
        workers=(WorkerStatus(4711, 18_233, 2, 9), WorkerStatus(4712, 17_911, 1, 8)),
    )


def refused() -> Snapshot:
    message = "https://id.example.com answered 401: invalid_client; check client_id"
    login = failure("nobody has logged in yet; run: token-sidecar login person")
    return now(
        credentials=(
            down("inference", state="refused", error=failure(message, REFUSAL)),
            down("person", error=login),
            status("fine"),
        ),
    )


def many() -> Snapshot:
    credentials = [down(f"tenant-{number:03}-staging") for number in range(20)]
    credentials += [status(f"tenant-{number:03}-production") for number in range(480)]
    routes = {f"/team-{number:03}/": RouteTotals() for number in range(1000)}
    return now(credentials=tuple(credentials), routes=routes)


def drained() -> Snapshot:
    return now(draining=True, credentials=(status("inference", last_error=None),))


def hostile() -> Snapshot:
    error = failure(f"{HOSTILE}; {HOSTILE}", Explanation(HOSTILE, HOSTILE, HOSTILE))
    return now(
        credentials=(down(HOSTILE, error=error), down("x" * 300)),
        routes={HOSTILE: RouteTotals()},
        warnings=(HOSTILE,),
        secrets=(SecretStatus(HOSTILE, "file", (HOSTILE,), fault=HOSTILE),),
        reloads=Reloads(0, 1, False, None, (HOSTILE,)),
    )


def now(**changed: object) -> Snapshot:
    routes = {"/infer/": RouteTotals(), "/a/rather/long/path/to/models/": RouteTotals()}
    usual = {"started": time.time() - 90_000, "routes": routes, "version": "0.1.0"}
    return snapshot(**usual | changed)


STATES: dict[str, Callable[[], Snapshot]] = {
    "well": well,
    "outage": outage,
    "refused": refused,
    "many": many,
    "drained": drained,
}


@dataclass
class Showing:
    """A control plane on loopback."""

    url: str = ""
    now: Snapshot = field(default_factory=well)

    def read(self) -> Snapshot:
        return self.now

    def request(self, label: str, seconds: float, *, error: str | None = None) -> None:
        """A request went through."""
        code = 502 if error else 200
        self.now.routes[label].add(
            AccessRecord("POST", label, code, 900, 4000, seconds, error=error)
        )


@contextlib.asynccontextmanager
async def showing() -> AsyncIterator[Showing]:
    """The control plane, until the block ends."""
    here = Showing()

    async def count() -> None:
        """Totals are always as they are."""

    async with contextlib.AsyncExitStack() as stack:
        nothing = Lendables({}, hold=0.0)
        here.url = await serve(
            stack,
            lambda guard: application.admin(here.read, count, guard, fail, lambda: nothing),
        )
        yield here
