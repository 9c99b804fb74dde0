"""Who holds a device that is busy, as far as /proc tells (Linux: proc(5), /proc/locks and /proc/PID/fd)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress

_MASTERS = "/dev/ptmx"
_LONGEST = 160
"""Characters of a command line that are shown."""


def holder(path: str, proc: str = "/proc", locks: bool = True) -> str:
    """``pid 1234 (minicom -D /dev/ttyUSB0)`` for whoever has locked the device or has it open; ``""`` when it cannot be known.

    ``locks=False`` when the caller has the lock itself.
    """
    ourselves = os.getpid()
    for pid in _lockers(path, proc) if locks else ():
        if pid == ourselves:
            return f"this program itself, pid {pid}: another link has the same device"
        return _named(pid, proc)
    for pid in _openers(path, proc):
        if pid != ourselves:
            return _named(pid, proc)
    return ""


def _lockers(path: str, proc: str) -> Iterator[int]:
    with suppress(OSError):
        found = os.stat(path)
        place = f"{os.major(found.st_dev):02x}:{os.minor(found.st_dev):02x}:{found.st_ino}"
        with open(f"{proc}/locks", encoding="ascii", errors="replace") as locks:
            for line in locks:
                # 1: FLOCK  ADVISORY  WRITE 1234 00:06:1137 0 EOF; a process that waits for the lock has "->" in the second column
                words = line.split()
                if len(words) >= 6 and words[1] == "FLOCK" and words[5] == place and words[4].isdigit() and int(words[4]):
                    yield int(words[4])


def _openers(path: str, proc: str) -> Iterator[int]:
    real = os.path.realpath(path)
    with suppress(OSError):
        for entry in sorted(filter(str.isdigit, os.listdir(proc)), key=int):
            # Only the links are read: to stat what they point to could hang on a dead network file system.
            with suppress(OSError):
                folder = f"{proc}/{entry}/fd"
                links = {fd: os.readlink(f"{folder}/{fd}") for fd in os.listdir(folder)}
                if real in links.values() and not any(_is_other_end(real, f"{folder}info/{fd}") for fd in links if links[fd] == _MASTERS):
                    yield int(entry)


def _is_other_end(path: str, info: str) -> bool:
    """Whether a descriptor of `_MASTERS`, as proc(5) describes it, is the other end of this pseudo-terminal: who has both ends is no
    rival, but the device itself, as socat is."""
    with open(info, encoding="ascii", errors="replace") as lines:
        return f"tty-index:\t{path.removeprefix('/dev/pts/')}\n" in lines


def _named(pid: int, proc: str) -> str:
    try:
        with open(f"{proc}/{pid}/cmdline", "rb") as file:
            words = file.read(4096).replace(b"\0", b" ").decode("utf-8", "backslashreplace").strip()
    except OSError:
        words = ""
    command = "".join(char if char.isprintable() else "?" for char in words)
    if len(command) > _LONGEST:
        # The end tells one gateway from another: --config FILE.
        command = f"{command[: _LONGEST // 2]} ... {command[5 - _LONGEST // 2 :]}"
    return f"pid {pid} ({command})" if command else f"pid {pid}"
