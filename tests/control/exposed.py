"""Everything that ``/metrics`` may tell, read from an exposition of a snapshot that has it all."""

from __future__ import annotations

from typing import Literal, overload

from prometheus_client.parser import text_string_to_metric_families

from proxy.control.metrics import exposition
from proxy.control.snapshot import Reloads, SecretStatus, Spans, WorkerStatus
from tests.control.conftest import snapshot, status, totals


def everything() -> str:
    """The page."""
    refused = totals()
    refused.refuse("client_key")
    whole = snapshot(
        credentials=(status(), status("exchange", callers=1)),
        routes={"": refused, "/infer/": totals()},
        workers=(WorkerStatus(1, 2, 3, 4),),
        deaths=1,
        most_in_flight=2000,
        most_connections=10_000,
        reloads=Reloads(1, 1, last_ok=True, last_success=1.0),
        secrets=(SecretStatus("key", "file"),),
        spans=Spans(1, 1),
    )
    return exposition(whole, "")[0].decode()


@overload
def every_family(*, labels: Literal[True]) -> dict[str, set[str]]: ...
@overload
def every_family(*, labels: Literal[False] = False) -> dict[str, str]: ...
def every_family(*, labels: bool = False) -> dict[str, str] | dict[str, set[str]]:
    """Name as it is written in a query → its kind, or its labels."""
    families = list(text_string_to_metric_families(everything()))
    names = [one.name + ("_total" if one.type == "counter" else "") for one in families]
    if not labels:
        return {name: one.type for name, one in zip(names, families, strict=True)}
    return {
        name: {label for sample in one.samples for label in sample.labels} - {"le"}
        for name, one in zip(names, families, strict=True)
    }
