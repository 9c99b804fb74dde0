"""Which process has a device, a port or a socket that is in use, as far as /proc shows it (Linux, proc(5): locks, net and PID/fd)."""

from __future__ import annotations

import ipaddress
import os
import sys
from collections.abc import Iterator
from contextlib import suppress

from .clock import monotonic
from .openers import Openers, processes
from .sockets import Socket, peer_pid

PROC = "/proc"
PATIENCE = 0.5
"""Seconds to look for the process that has a socket: a machine can have very many processes."""
_LISTENS = "0A"
_LONGEST = 160
"""Characters of a command line that are shown."""


def holder(path: str, proc: str = "", locks: bool = True, openers: Openers | None = None) -> str:
    """``pid 1234 (minicom -D /dev/ttyUSB0)``: the process that has locked the device or has it open; ``""`` if it cannot be known.

    ``locks=False`` when the caller has the lock itself. ``openers`` are those of several who ask at the same time.
    """
    proc, ourselves = proc or PROC, os.getpid()
    for pid in _lockers(path, proc) if locks else ():
        if pid == ourselves:
            return f"this program itself, pid {pid}: another link has the same device"
        return _named(pid, proc)
    for pid in (openers or Openers(monotonic, proc)).of(path):
        return _named(pid, proc)
    return ""


def port_holder(host: str, port: int, proc: str = "") -> str:
    """The same for the process that listens on a TCP port, on this address or on all. Only root finds processes of other users."""
    proc = proc or PROC
    sockets = {f"socket:[{inode}]" for inode in _listening(host, port, proc)}
    until = monotonic() + PATIENCE
    for pid, links in processes(proc) if sockets else ():
        if monotonic() > until:
            break
        if not sockets.isdisjoint(links.values()):
            return _named(pid, proc) if pid != os.getpid() else f"this program itself, pid {pid}: another link listens there"
    return ""


def socket_holder(client: Socket, proc: str = "") -> str:
    """The same for the process that listens on the UNIX socket that ``client`` is connected to; the kernel names it to every user."""
    proc = proc or PROC
    with suppress(OSError):
        pid = peer_pid(client)
        if pid == os.getpid():
            return f"this program itself, pid {pid}: another link listens there"
        if pid > 0 and os.path.exists(f"{proc}/{pid}"):
            return _named(pid, proc)
    return ""


def _listening(host: str, port: int, proc: str) -> Iterator[str]:
    """The inodes of the sockets that listen on this port, and on this address or on all."""
    wanted = ipaddress.ip_address(host)
    for name in ("tcp", "tcp6"):
        with suppress(OSError), open(f"{proc}/net/{name}", encoding="ascii", errors="replace") as table:
            for line in table:
                # 0: 0100007F:1B58 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000        0 31337 ...
                words = line.split()
                if len(words) < 10 or words[3] != _LISTENS:
                    continue
                address, _, number = words[1].partition(":")
                there = _address(address)
                if int(number, 16) == port and (there == wanted or there.is_unspecified or wanted.is_unspecified):
                    yield words[9]


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """An address as /proc/net writes it: words of 32 bits in the byte order of this machine."""
    data = bytes.fromhex(text)
    if sys.byteorder == "little":
        data = b"".join(data[start : start + 4][::-1] for start in range(0, len(data), 4))
    return ipaddress.ip_address(data)


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


def _named(pid: int, proc: str) -> str:
    try:
        with open(f"{proc}/{pid}/cmdline", "rb") as file:
            words = file.read(4096).replace(b"\0", b" ").decode("utf-8", "backslashreplace").strip()
    except OSError:
        words = ""
    command = "".join(char if char.isprintable() else "?" for char in words)
    if len(command) > _LONGEST:
        # The end distinguishes one gateway from another: --config FILE.
        command = f"{command[: _LONGEST // 2]} ... {command[5 - _LONGEST // 2 :]}"
    return f"pid {pid} ({command})" if command else f"pid {pid}"
