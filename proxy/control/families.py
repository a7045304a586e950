"""One metric family at a time, as Prometheus' client wants it: a name, what it means, its samples.

Knows the prefix that all names share, nothing of what is measured.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence
from typing import Final

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

PREFIX: Final = "token_sidecar_"
Sample = tuple[Sequence[str], float]
"""The labels' values, and the value."""


def gauge(
    name: str, meaning: str, labels: Sequence[str] = (), samples: Iterable[Sample] = ()
) -> Metric:
    """What goes up and down."""
    family = GaugeMetricFamily(PREFIX + name, meaning, labels=labels)
    for values, value in samples:
        family.add_metric(values, float(value))
    return family


def value(name: str, meaning: str, now: float) -> Metric:
    """A gauge without labels."""
    return gauge(name, meaning, (), [((), now)])


def counter(
    name: str, meaning: str, labels: Sequence[str] = (), samples: Iterable[Sample] = ()
) -> Metric:
    """What only goes up; ``_total`` is added to the name."""
    family = CounterMetricFamily(PREFIX + name, meaning, labels=labels)
    for values, count in samples:
        family.add_metric(values, float(count))
    return family


def histogram(
    name: str,
    meaning: str,
    label: str,
    bounds: Sequence[float],
    samples: Iterable[tuple[str, Sequence[int], float]],
) -> Metric:
    """How often how much; of each ``label`` the counts of its buckets, and the sum."""
    family = HistogramMetricFamily(PREFIX + name, meaning, labels=(label,))
    edges = [*(str(float(bound)) for bound in bounds), "+Inf"]
    for labelled, counts, total in samples:
        cumulative = itertools.accumulate(counts)
        family.add_metric((labelled,), list(zip(edges, cumulative, strict=True)), total)
    return family
