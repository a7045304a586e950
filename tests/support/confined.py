"""``python confined.py ORDERS PROGRAM…``: the program under the filter that systemd would set.

ORDERS is JSON: the system calls and address families that are allowed; memory is never both
writable and executable. libseccomp comes with systemd. What is not allowed fails with EPERM.
"""

from __future__ import annotations

import ctypes
import errno
import json
import mmap
import os
import socket
import sys
from collections.abc import Iterable

ALLOW = 0x7FFF0000
REFUSE = 0x00050000 | errno.EPERM
EQUAL, MASKED = 4, 7
PROT_EXEC = 4
NO_NEW_PRIVS = 38


class Comparison(ctypes.Structure):
    """``struct scmp_arg_cmp``."""

    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    )


class Filter:
    """An allow list."""

    def __init__(self) -> None:
        self._library = ctypes.CDLL("libseccomp.so.2")
        self._library.seccomp_init.restype = ctypes.c_void_p
        self._context = ctypes.c_void_p(self._library.seccomp_init(REFUSE))

    def allow(self, call: str, *when: Comparison) -> None:
        """Allow a system call, where all of ``when`` hold."""
        number = self._library.seccomp_syscall_resolve_name(call.encode())
        if number < 0:
            return  # not on this machine
        comparisons = (Comparison * len(when))(*when)
        if self._library.seccomp_rule_add_array(
            self._context, ALLOW, number, len(when), comparisons
        ):
            raise OSError(f"no rule can be made for {call}")

    def load(self) -> None:
        """Obey it from now on."""
        if ctypes.CDLL(None).prctl(NO_NEW_PRIVS, 1, 0, 0, 0) or self._library.seccomp_load(
            self._context
        ):
            raise OSError("the filter can't be loaded")


def confine(calls: Iterable[str], families: Iterable[str]) -> None:
    """Allow these and no other."""
    allowed = Filter()
    special = {"socket", "mmap", "mprotect", "pkey_mprotect", "shmat"}
    for call in set(calls) - special:
        allowed.allow(call)
    for family in families:
        number = int(getattr(socket, family))
        allowed.allow("socket", Comparison(0, EQUAL, number))
    both = mmap.PROT_WRITE | PROT_EXEC
    for protection in (0, mmap.PROT_WRITE, PROT_EXEC):
        allowed.allow("mmap", Comparison(2, MASKED, both, protection))
    for call in ("mprotect", "pkey_mprotect"):
        allowed.allow(call, Comparison(2, MASKED, PROT_EXEC, 0))
    allowed.load()


if __name__ == "__main__":
    orders = json.loads(sys.argv[1])
    confine(orders["calls"], orders["families"])
    os.execvp(sys.argv[2], sys.argv[2:])
