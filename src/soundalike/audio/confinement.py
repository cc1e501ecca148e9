"""Take from the calling process what decoding doesn't need, as far as the system can.

On Linux, other processes cannot read this one's memory. It gains no privileges. Landlock leaves it
the files of Python and of its packages, to be read, and no TCP, no signals and no tracing of processes
outside; that holds for root too. A system call filter (libseccomp, which Debian's `apt` needs) refuses
sockets, new processes and changes of files; threads stay possible. `RLIMIT_NPROC` would not do, because
it counts all threads of the user. Whatever a system lacks is left out, so decoding works everywhere.

None of it can be undone.
"""

from __future__ import annotations

import ctypes
import errno
import os
import sys
import sysconfig
from collections.abc import Callable, Iterable
from pathlib import Path

from soundalike import system

_NO_NEW_PRIVILEGES = 38

_LANDLOCK_CREATE, _LANDLOCK_ADD, _LANDLOCK_RESTRICT = 444, 445, 446
_READ = 1 << 2 | 1 << 3
"""Landlock's rights to read files and to list folders."""
_FILE_RIGHTS = {1: 13, 2: 14, 3: 15, 4: 15}
"""Number of rights on files by Landlock's version; all that a version has are taken away."""
_LATEST_FILE_RIGHTS = 16
_TCP, _SCOPES = 0b11, 0b11
"""Landlock's rights to bind and to connect, and its scopes: abstract sockets and signals."""

_ALLOW, _REFUSE = 0x7FFF_0000, 0x0005_0000
_NOT_EQUAL, _MASKED_EQUAL = 1, 7
_CLONE_THREAD = 0x10000
_REFUSED = (
    *("socket", "socketpair", "io_uring_setup", "fork", "vfork", "execve", "execveat"),
    *("kill", "tkill", "rt_sigqueueinfo", "rt_tgsigqueueinfo", "pidfd_open", "pidfd_send_signal"),
    *("pidfd_getfd", "ptrace", "process_vm_readv", "process_vm_writev", "kcmp", "unshare", "setns"),
    *("mount", "umount2", "pivot_root", "chroot", "bpf", "perf_event_open", "userfaultfd", "keyctl"),
    *("add_key", "request_key", "init_module", "finit_module", "kexec_load", "reboot", "chmod"),
    *("fchmod", "fchmodat", "fchmodat2", "chown", "fchown", "lchown", "fchownat", "utimensat"),
    *("setxattr", "lsetxattr", "fsetxattr", "unlink", "unlinkat", "rmdir", "rename", "renameat"),
    *("renameat2", "link", "linkat", "symlink", "symlinkat", "mkdir", "mkdirat", "mknod", "mknodat"),
    *("truncate", "setpriority", "sched_setscheduler", "sched_setparam", "sched_setattr", "ioprio_set"),
)
"""System calls that no decoding makes."""


class _Ruleset(ctypes.Structure):
    _fields_ = (("files", ctypes.c_uint64), ("network", ctypes.c_uint64), ("scopes", ctypes.c_uint64))


class _Beneath(ctypes.Structure):
    _pack_ = 1
    _layout_ = "ms"
    _fields_ = (("rights", ctypes.c_uint64), ("folder", ctypes.c_int32))


class _Comparison(ctypes.Structure):
    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operator", ctypes.c_int),
        ("first", ctypes.c_uint64),
        ("second", ctypes.c_uint64),
    )


def confine() -> list[str]:
    """Confine this process, and the threads that it starts later.

    Returns
    -------
    what took effect: "memory", "privileges", "seccomp", "landlock"
    """
    if sys.platform != "linux":
        return []
    parts: dict[str, Callable[[], bool]] = {
        "memory": system.hide_memory,
        "privileges": lambda: system.prctl(_NO_NEW_PRIVILEGES, 1),
        # Before Landlock, which leaves no library of the system to be loaded.
        "seccomp": _filter_calls,
        "landlock": lambda: _restrict_files(_code()),
    }
    return [name for name, take in parts.items() if take()]


def _code() -> set[Path]:
    """The folders of Python's own modules, of the packages and of this package."""
    named = sysconfig.get_paths()
    places = [Path(named[key]) for key in ("stdlib", "platstdlib", "purelib", "platlib")]
    return {place for place in (*places, Path(__file__).parents[1]) if place.is_dir()}


def _restrict_files(readable: Iterable[Path]) -> bool:
    """Allow nothing but to read in some folders (Landlock)."""
    version = _call(_LANDLOCK_CREATE, None, 0, 1)
    if version < 1:
        return False
    rights = (1 << _FILE_RIGHTS.get(version, _LATEST_FILE_RIGHTS)) - 1
    rules = _Ruleset(rights, _TCP if version >= 4 else 0, _SCOPES if version >= 6 else 0)
    # An older kernel accepts a longer structure whose further members are 0.
    ruleset = _call(_LANDLOCK_CREATE, ctypes.byref(rules), ctypes.sizeof(rules), 0)
    if ruleset < 0:
        return False
    for place in readable:
        folder = os.open(place, os.O_PATH | os.O_CLOEXEC)
        _call(_LANDLOCK_ADD, ruleset, 1, ctypes.byref(_Beneath(_READ, folder)), 0)
        os.close(folder)
    done = _call(_LANDLOCK_RESTRICT, ruleset, 0) == 0
    os.close(ruleset)
    return done


def _filter_calls() -> bool:
    """Refuse system calls that no decoding makes."""
    try:
        library = ctypes.CDLL("libseccomp.so.2")
    except OSError:
        return False
    library.seccomp_init.restype = ctypes.c_void_p
    filters = ctypes.c_void_p(library.seccomp_init(ctypes.c_uint32(_ALLOW)))

    def refuse(name: str, *when: _Comparison, code: int = errno.EPERM) -> None:
        number = library.seccomp_syscall_resolve_name(name.encode())
        comparisons = (_Comparison * len(when))(*when)
        # A call that this machine doesn't have is refused anyway.
        library.seccomp_rule_add_array(
            filters, ctypes.c_uint32(_REFUSE | code), number, len(when), comparisons
        )

    for name in _REFUSED:
        refuse(name)
    # The C library falls back to clone, whose flags can be checked: threads only.
    refuse("clone3", code=errno.ENOSYS)
    refuse("clone", _Comparison(0, _MASKED_EQUAL, _CLONE_THREAD, 0))
    refuse("tgkill", _Comparison(0, _NOT_EQUAL, os.getpid(), 0))
    refuse("prlimit64", _Comparison(0, _NOT_EQUAL, 0, 0))
    return bool(library.seccomp_load(filters) == 0)


def _call(number: int, *arguments: object) -> int:
    """A system call that the C library has no function for."""
    libc = ctypes.CDLL(None)
    libc.syscall.restype = ctypes.c_long
    numbers = (ctypes.c_long(one) if isinstance(one, int) else one for one in arguments)
    return int(libc.syscall(ctypes.c_long(number), *numbers))
