"""What a person reads at the end of the soak."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bench.soak.plan import CASES
from bench.soak.verdict import (
    DESCRIPTORS_MORE,
    MEMORY_MORE,
    Evidence,
    asked_by,
    bounds,
)

GIB = 1 << 30


def summary(seen: Evidence) -> str:
    """Counts per kind, tokens, memory and descriptors."""
    return "\n".join(_lines(seen))


def _lines(seen: Evidence) -> Iterator[str]:
    tally = seen.tally
    yield f"compared: {tally.up / GIB:.2f} GiB up, {tally.down / GIB:.2f} GiB down"
    for case in CASES:
        counts = tally.outcomes.get(case.name, Counter())
        told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(counts.items()))
        slowest = tally.longest.get(case.name)
        end = "" if slowest is None else f" (the slowest ok {slowest:.1f} s)"
        yield f"  {case.name:24} {told}{end}"
    weather = sorted(seen.weather.items())
    yield "around them: " + ", ".join(f"{name} {count}" for name, count in weather)
    for client, bound in bounds(seen).items():
        yield f"token requests of {client:9} {asked_by(seen, client):4} of {bound:.0f} allowed"
    yield f"in flight per credential at most {max(seen.provider['busiest'].values())}"
    answered = sorted(seen.provider["answered"].items())
    yield "the provider answered: " + ", ".join(f"{name} {count}" for name, count in answered)
    yield (
        f"401 by the upstream {seen.upstream['unauthorized']}; tokens that its own slowness made "
        f"late {seen.upstream['excused']}"
    )
    yield (
        f"memory, quiet: {seen.warm.memory:.1f} MiB warm, {seen.after.memory:.1f} MiB after "
        f"(+{MEMORY_MORE:.0f} allowed), at most {seen.peak:.1f} MiB"
    )
    yield (
        f"descriptors, quiet: {seen.warm.descriptors} warm, {seen.after.descriptors} after "
        f"(+{DESCRIPTORS_MORE} allowed)"
    )
