from __future__ import annotations

import subprocess
import sys

ASK = """
import ctypes, resource
from proxy.runtime.hardening import forbid_dumps, steady_memory
PR_GET_DUMPABLE = 3
print(ctypes.CDLL(None).prctl(PR_GET_DUMPABLE), end=" ")
forbid_dumps()
steady_memory()
print(ctypes.CDLL(None).prctl(PR_GET_DUMPABLE), resource.getrlimit(resource.RLIMIT_CORE))
"""


def test_neither_a_core_dump_nor_a_debugger_gets_the_memory() -> None:
    told = subprocess.run([sys.executable, "-c", ASK], capture_output=True, text=True, check=True)
    if sys.platform == "linux":
        assert told.stdout == "1 0 (0, 0)\n"


ASK_DESCRIPTORS = """
import resource
from proxy.runtime.hardening import take_descriptors
resource.setrlimit(resource.RLIMIT_NOFILE, (100, 300))
take_descriptors()
print(resource.getrlimit(resource.RLIMIT_NOFILE))
"""


def test_as_many_descriptors_are_taken_as_are_allowed() -> None:
    told = subprocess.run(
        [sys.executable, "-c", ASK_DESCRIPTORS], capture_output=True, text=True, check=True
    )
    assert told.stdout == "(300, 300)\n"
