"""Runs a command behind the filters of system calls that a systemd unit asks for: there is no systemd in a test.

`python -P tests/deploy/sandbox.py 'JSON of directives' COMMAND...`, by libseccomp, which systemd uses for the same.
What mounts, users and cgroups would keep out is not tried here.

Invariant: a directive that this cannot apply is not taken: it fails instead of passing.
"""

import ctypes
import errno
import json
import os
import socket
import subprocess
import sys
from collections.abc import Iterable, Mapping, Sequence

_ALLOW, _ERRNO = 0x7FFF0000, 0x00050000
_NO_NEW_PRIVILEGES = 38
_NOT_EQUAL, _EQUAL, _AT_LEAST, _MASKED = 1, 4, 5, 7
_WRITE, _EXEC, _SHM_EXEC = 2, 4, 0o100000
_NAMESPACES = (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000)
_SET_ID = (0o4000, 0o2000)
_FAMILIES = 64


class _Comparison(ctypes.Structure):
    _fields_ = (
        ("argument", ctypes.c_uint),
        ("operation", ctypes.c_int),
        ("a", ctypes.c_uint64),
        ("b", ctypes.c_uint64),
    )


_seccomp = ctypes.CDLL("libseccomp.so.2", use_errno=True)
_seccomp.seccomp_init.restype = ctypes.c_void_p
_seccomp.seccomp_rule_add_array.argtypes = (
    ctypes.c_void_p,
    ctypes.c_uint32,
    ctypes.c_int,
    ctypes.c_uint,
    ctypes.POINTER(_Comparison),
)
_seccomp.seccomp_load.argtypes = (ctypes.c_void_p,)

Rule = tuple[str, int, tuple[tuple[int, int, int, int], ...]]
"""A system call, what it gives when all comparisons hold, and those: argument, operation, a, b."""


def _load(default: int, rules: Iterable[Rule]) -> None:
    context = _seccomp.seccomp_init(default)
    for name, action, comparisons in rules:
        number = _seccomp.seccomp_syscall_resolve_name(name.encode())
        if number == -1:
            continue  # of another architecture, or newer than this libseccomp
        array = (_Comparison * len(comparisons))(*(_Comparison(*each) for each in comparisons))
        failed = _seccomp.seccomp_rule_add_array(context, action, number, len(comparisons), array)
        if failed not in (0, -errno.EEXIST, -errno.EDOM):
            raise OSError(-failed, f"no rule for {name}: {os.strerror(-failed)}")
    if failed := _seccomp.seccomp_load(context):
        raise OSError(-failed, f"the filter is not taken: {os.strerror(-failed)}")


def _refused(name: str, *comparisons: tuple[int, int, int, int], reason: int = errno.EPERM) -> Rule:
    return name, _ERRNO | reason, comparisons


def _named(words: Sequence[str]) -> set[str]:
    """The system calls of these sets and names, as systemd-analyze knows them."""
    found = set[str]()
    for word in words:
        if not word.startswith("@"):
            found.add(word)
            continue
        told = subprocess.run(
            ["systemd-analyze", "syscall-filter", "--no-pager", word], capture_output=True, text=True, check=True
        ).stdout
        found |= _named([line.strip() for line in told.splitlines()[1:] if line.strip() and "#" not in line])
    return found


def _allowed(lists: Sequence[str]) -> set[str]:
    found = set[str]()
    for text in lists:
        if text.startswith("~"):
            found -= _named(text[1:].split())
        else:
            found |= _named(text.split())
    return found


def _memory() -> list[Rule]:
    return [
        _refused("mmap", (2, _MASKED, _EXEC | _WRITE, _EXEC | _WRITE)),
        _refused("mprotect", (2, _MASKED, _EXEC, _EXEC)),
        _refused("pkey_mprotect", (2, _MASKED, _EXEC, _EXEC)),
        _refused("shmat", (2, _MASKED, _SHM_EXEC, _SHM_EXEC)),
    ]


def _families(names: str) -> list[Rule]:
    kept = {int(getattr(socket, name)) for name in names.split()}
    others = [number for number in range(_FAMILIES) if number not in kept]
    rules = [_refused("socket", (0, _EQUAL, number, 0), reason=errno.EAFNOSUPPORT) for number in others]
    return [*rules, _refused("socket", (0, _AT_LEAST, _FAMILIES, 0), reason=errno.EAFNOSUPPORT)]


def _namespaces() -> list[Rule]:
    each = [_refused(name, (0, _MASKED, flag, flag)) for name in ("clone", "unshare") for flag in _NAMESPACES]
    return [*each, _refused("setns"), _refused("clone3", reason=errno.ENOSYS)]


def _set_id() -> list[Rule]:
    modes = (("chmod", 1), ("fchmod", 1), ("fchmodat", 2), ("mkdir", 1), ("mkdirat", 2), ("mknod", 1), ("mknodat", 2))
    return [_refused(name, (place, _MASKED, bit, bit)) for name, place in modes for bit in _SET_ID]


def confine(directives: Mapping[str, Sequence[str]]) -> None:
    """Put this process, and all that it starts, behind the filters of these directives (each with all its values)."""
    given = {name: values[-1] for name, values in directives.items()}
    allowed = _allowed(directives["SystemCallFilter"])
    ctypes.CDLL(None).prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0)
    if given["MemoryDenyWriteExecute"] == "yes":
        _load(_ALLOW, _memory())
    if given["RestrictNamespaces"] == "yes":
        _load(_ALLOW, _namespaces())
    if given["RestrictSUIDSGID"] == "yes":
        _load(_ALLOW, _set_id())
    if given["LockPersonality"] == "yes":
        _load(_ALLOW, [_refused("personality", (0, _NOT_EQUAL, 0, 0))])
    _load(_ALLOW, _families(given["RestrictAddressFamilies"]))
    _load(_ERRNO | errno.EPERM, [(name, _ALLOW, ()) for name in sorted(allowed)])


if __name__ == "__main__":
    confine(json.loads(sys.argv[1]))
    os.execv(sys.argv[2], sys.argv[2:])
