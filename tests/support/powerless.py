"""``python powerless.py PROGRAM…`` is the program without root's rights over files and ports."""

from __future__ import annotations

import os
import sys

if __name__ == "__main__":
    from tests.support.process import drop_powers

    drop_powers()
    os.execvp(sys.argv[1], sys.argv[1:])
