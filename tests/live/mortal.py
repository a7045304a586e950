"""``python -m tests.live.mortal POINT ARGUMENTS``: the program, killed at a point of its store.

The points are those of ``tests.support.mortal``; nothing of the program is replaced.
"""

from __future__ import annotations

import runpy
import sys

from tests.support.mortal import die_at

POINTS = ("unwritten", "half", "written", "renamed")
"""An entry's new file is about to be made; is half there; is whole; has its name."""

if __name__ == "__main__":
    die_at(sys.argv.pop(1))
    runpy.run_module("proxy", run_name="__main__", alter_sys=True)
