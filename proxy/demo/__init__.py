"""The demonstration: a provider, an inference API and an old program, all on this machine.

Here only the entrance: pyarrow, rich and the servers are imported by the parts that need them.
"""

from __future__ import annotations

import importlib.util
import sys
from typing import Final

MISSING: Final = (
    "The demonstration reads and writes Arrow files and needs pyarrow. Install it with:\n"
    "    pip install 'token-sidecar[demo]'"
)


def main(keep: bool, *, seconds: float = 20.0, lifetime: int = 6) -> int:
    """Run the demonstration and say how it went.

    Args:
        keep: leave everything running afterwards, until Ctrl-C, to be tried by hand.
        seconds: how long the old program works through the sidecar.
        lifetime: seconds that each token lives.

    Returns:
        0 if everything went as promised, 1 if not, 130 or 143 if it was interrupted.
    """
    if importlib.util.find_spec("pyarrow") is None:
        sys.stderr.write(f"{MISSING}\n")
        return 1
    from proxy.demo.stage import run  # noqa: PLC0415 - costs a third of a second, wanted only now

    return run(keep=keep, seconds=seconds, lifetime=lifetime)
