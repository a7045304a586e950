"""The verdict as it stands on top: the sidecar's own, and routes where requests failed lately.

Only who watches can see those: the sidecar's totals say nothing of when.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from proxy.cli.panel.lately import Lately, Status
from proxy.cli.panel.words import many

Trouble = Mapping[str, Any]


def judged(status: Status, lately: Lately) -> tuple[Trouble, Sequence[Trouble]]:
    """What stands on top, and what else is not well."""
    own: Trouble = status["verdict"]
    troubles = [*own["troubles"], *_of_routes(status, lately)]
    if status["draining"] or not troubles:
        return own, troubles
    return troubles[0], troubles[1:]


def reasons(status: Status, label: str) -> list[str]:
    """What a route's errors mean, and what to do, the most frequent first."""
    meanings = status.get("error_meanings", {})
    errors = sorted(status["routes"][label]["errors"].items(), key=lambda one: -one[1])
    ours = [kind for kind, _ in errors if not meanings.get(kind, {}).get("client")]
    return [
        f"{meanings[kind]['meaning']}: {meanings[kind]['advice']}" if kind in meanings else kind
        for kind in ours
    ]


def _of_routes(status: Status, lately: Lately) -> list[Trouble]:
    failed = {label: count for label in lately.labels() if (count := lately.failed(label))}
    if not failed:
        return []
    worst = max(failed, key=lambda label: failed[label])
    where = (worst or "no route") if len(failed) == 1 else many(len(failed), "route")
    meaning, _, advice = (reasons(status, worst) or ["see the log"])[0].partition(": ")
    requests = many(sum(failed.values()), "request")
    says = f"{requests} failed here within a minute, on {where}: {meaning}"
    return [{"level": "at_risk", "says": says, "advice": advice, "detail": "", "since": None}]
