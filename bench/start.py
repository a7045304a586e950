"""``make bench-start``: from exec to the first answer that came through, and the size then."""

from __future__ import annotations

import statistics
import sys
import time
from typing import NamedTuple

from bench.subject import Setting, ask, processor, resident, setting

RUNS = 7
SECONDS_ALLOWED = 0.8
MEGABYTES_ALLOWED = 60.0


class Start(NamedTuple):
    """One start: seconds and processor seconds to the first 200, MB resident after it."""

    seconds: float
    processor: float
    megabytes: float

    def __str__(self) -> str:
        return (
            f"{self.seconds:.2f} s  ({self.processor:.2f} s of processor)  {self.megabytes:.1f} MB"
        )


def run(servers: Setting) -> Start:
    """Start it, ask until it answers, and measure."""
    started = time.monotonic()
    with servers.sidecar() as sidecar:
        status = ask(servers.port, "/100", deadline=20)
        seconds = time.monotonic() - started
        if status != 200:
            raise RuntimeError(f"the first answer was {status}")
        megabytes = resident(sidecar.pid, "VmHWM") * 1.048576
        return Start(seconds, processor(sidecar.pid), megabytes)


def main() -> int:
    """Some runs after one that fills the caches; 1 where the median is over a bound."""
    with setting() as servers:
        first = run(servers)
        runs = [run(servers) for _ in range(RUNS)]
    median = Start(*map(statistics.median, zip(*runs, strict=True)))
    print(f"very first run    {first}")
    print(f"median of {RUNS} runs  {median}")
    print(f"allowed           {SECONDS_ALLOWED:.2f} s  {MEGABYTES_ALLOWED:.1f} MB")
    return 0 if median.seconds <= SECONDS_ALLOWED and median.megabytes <= MEGABYTES_ALLOWED else 1


if __name__ == "__main__":
    sys.exit(main())
