"""``python -m tests.fuzz INPUTS [SEED]``: prints what came of them; 1 if anything unsafe passed."""

from __future__ import annotations

import secrets
import sys
import time

from tests.fuzz.engine import run

SHOWN = 20


def main(count: int, seed: int) -> int:
    """Run, tell, and say how it ended."""
    started = time.monotonic()
    tallies = run(count, seed)
    unsafe = [line for tally in tallies.values() for line in tally.disagreements]
    lines = [
        f"{name}: {tally.inputs} inputs, {tally.passed} passed at least in part, "
        f"{tally.stricter} refused that h11 would pass, {tally.tolerated} passed that h11 "
        f"refuses against the RFC, {len(tally.disagreements)} unsafe disagreements"
        for name, tally in tallies.items()
    ]
    lines += unsafe[:SHOWN]
    took = time.monotonic() - started
    lines.append(f"fuzz: {count} inputs, {len(unsafe)} unsafe, seed {seed}, {took:.0f} s")
    sys.stdout.write("\n".join(lines) + "\n")
    return 1 if unsafe else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), int(sys.argv[2]) if sys.argv[2:] else secrets.randbits(32)))
