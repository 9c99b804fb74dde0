"""Which other process has a file open, for many that ask at the same time: /proc is read once for all of them (Linux, proc(5))."""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress

FRESH = 0.5
"""Seconds for which what was seen is taken to be so still."""
_MASTERS = "/dev/ptmx"


class Openers:
    """``of(path)``: the processes, but for this one, that have it open. ``seconds()`` is the time."""

    def __init__(self, seconds: Callable[[], float], proc: str = "/proc") -> None:
        self._seconds = seconds
        self._proc = proc
        self._seen_at = -math.inf
        self._pids: dict[str, list[int]] = {}
        self._masters: dict[int, list[str]] = {}
        self._other_ends: dict[int, set[str]] = {}

    def of(self, path: str) -> Iterator[int]:
        if self._seconds() - self._seen_at > FRESH:
            self._look()
            self._seen_at = self._seconds()
        place = os.path.realpath(path)
        # A process that has both ends of a pseudo-terminal, as socat does, is the device itself and no rival.
        return (pid for pid in self._pids.get(place, ()) if place not in self._ends_of(pid))

    def _look(self) -> None:
        self._pids, self._masters, self._other_ends = {}, {}, {}
        for pid, links in processes(self._proc):
            if pid != os.getpid():
                for place in dict.fromkeys(links.values()):
                    if place.startswith("/"):
                        self._pids.setdefault(place, []).append(pid)
                self._masters[pid] = [fd for fd, place in links.items() if place == _MASTERS]

    def _ends_of(self, pid: int) -> set[str]:
        if pid not in self._other_ends:
            infos = (f"{self._proc}/{pid}/fdinfo/{fd}" for fd in self._masters[pid])
            self._other_ends[pid] = {end for info in infos for end in _other_end(info)}
        return self._other_ends[pid]


def processes(proc: str) -> Iterator[tuple[int, Mapping[str, str]]]:
    """The processes that we may look into, by pid, with their descriptors and what these lead to."""
    with suppress(OSError):
        for entry in sorted(filter(str.isdigit, os.listdir(proc)), key=int):
            with suppress(OSError):
                yield int(entry), dict(_links(f"{proc}/{entry}/fd"))


def _links(folder: str) -> Iterator[tuple[str, str]]:
    """The descriptors in a folder, and what they lead to; one may be closed meanwhile."""
    for fd in os.listdir(folder):
        # Only the links are read: to stat what they point to could hang on a dead network file system.
        with suppress(OSError):
            yield fd, os.readlink(f"{folder}/{fd}")


def _other_end(info: str) -> Iterator[str]:
    """The other end of a descriptor of `_MASTERS`, which this file of proc(5) describes."""
    with suppress(OSError), open(info, encoding="ascii", errors="replace") as lines:
        for line in lines:
            name, _, index = line.rstrip("\n").partition("\t")
            if name == "tty-index:":
                yield f"/dev/pts/{index}"
