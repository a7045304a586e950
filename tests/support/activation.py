"""Starts a program as systemd does: listening sockets as descriptors 3 and on, told in LISTEN_*.

Run as ``python activation.py DESCRIPTOR[:NAME]... -- PROGRAM…`` between the test that opened the
sockets and the program: the number in LISTEN_PID is known only where the program takes our place.
"""

from __future__ import annotations

import fcntl
import os
import sys

FIRST = 3
APART = 100
"""Above all that is open: what is moved to 3 must not hit what has still to be moved."""


def become(given: list[tuple[int, str]], program: list[str]) -> None:
    """Be ``program`` from now on, with these descriptors."""
    apart = [fcntl.fcntl(descriptor, fcntl.F_DUPFD, APART) for descriptor, _ in given]
    for at, descriptor in enumerate(apart):
        os.dup2(descriptor, FIRST + at, inheritable=True)
        os.close(descriptor)
    told = {
        "LISTEN_PID": str(os.getpid()),
        "LISTEN_FDS": str(len(given)),
        "LISTEN_FDNAMES": ":".join(name for _, name in given),
    }
    os.execvpe(program[0], program, {**os.environ, **told})


if __name__ == "__main__":
    end = sys.argv.index("--")
    sockets = [one.partition(":") for one in sys.argv[1:end]]
    become([(int(number), name) for number, _, name in sockets], sys.argv[end + 1 :])
