"""``make bench-start``: from exec to the first answer that came through, and the size then."""

from __future__ import annotations

import statistics
import sys
import time

from bench.subject import Setting, ask, resident, setting

RUNS = 7
SECONDS_ALLOWED = 0.8
MEGABYTES_ALLOWED = 60.0


def run(servers: Setting) -> tuple[float, float]:
    """Seconds to the first 200, MB resident after it."""
    started = time.monotonic()
    with servers.sidecar() as sidecar:
        status = ask(servers.port, "/100", deadline=20)
        seconds = time.monotonic() - started
        if status != 200:
            raise RuntimeError(f"the first answer was {status}")
        return seconds, resident(sidecar.pid, "VmHWM") * 1.048576


def main() -> int:
    """Some runs after one that fills the caches; 1 where the median is over a bound."""
    with setting() as servers:
        first = run(servers)
        runs = [run(servers) for _ in range(RUNS)]
    seconds = statistics.median(each[0] for each in runs)
    megabytes = statistics.median(each[1] for each in runs)
    print(f"very first run        {first[0]:.2f} s  {first[1]:.1f} MB")
    print(f"median of {RUNS} runs      {seconds:.2f} s  {megabytes:.1f} MB")
    print(f"allowed               {SECONDS_ALLOWED:.2f} s  {MEGABYTES_ALLOWED:.1f} MB")
    return 0 if seconds <= SECONDS_ALLOWED and megabytes <= MEGABYTES_ALLOWED else 1


if __name__ == "__main__":
    sys.exit(main())
