"""Why a serial port cannot be opened, and what to do."""

from __future__ import annotations

import grp
import os
import pwd
import re
import stat

from ..errors import GatewayError
from ..net.holders import holder


class PortError(GatewayError):
    """The port cannot be opened now. The text says why and what to do; it does not name the port."""


class PortAbsentError(PortError):
    """There is no such device now; it may be plugged in later."""


_KINDS = {
    stat.S_IFREG: "a regular file",
    stat.S_IFDIR: "a directory",
    stat.S_IFIFO: "a FIFO",
    stat.S_IFSOCK: "a socket",
    stat.S_IFBLK: "a disk",
}


def not_a_port(mode: int = 0) -> PortError:
    """The error for a path that is something else; ``mode`` is its ``st_mode``, if known."""
    kind = _KINDS.get(stat.S_IFMT(mode))
    return PortError(f"is not a serial port but {kind}" if kind else "is not a serial port")


def absent(path: str) -> PortAbsentError:
    """The error for a path at which there is no device."""
    if re.fullmatch(r"COM[0-9]+", os.path.basename(path)):
        return PortAbsentError("is not there: COM names are for Windows, here a port is a path such as /dev/ttyUSB0")
    if os.path.islink(path):
        return PortAbsentError(f"is not there: it is a link to {os.path.realpath(path)}, which does not exist")
    return PortAbsentError("is not there (is the device plugged in?)")


def obstacle(path: str) -> PortError | None:
    """The error for a path at which there is no device, or something else, without opening it; else None."""
    try:
        mode = os.stat(path).st_mode
    except OSError:
        return absent(path)
    return None if stat.S_ISCHR(mode) else not_a_port(mode)


def busy(path: str, who: str = "") -> PortError:
    """The error for a port that another program has open; ``who`` is that program, where the caller knows it."""
    who = who or holder(path)
    return PortError(f"is in use by {who}" if who else f"is in use by another program (sudo fuser -v {path} names it)")


def denied(path: str) -> PortError:
    """The error for a port that this user may not open, with the group that may."""
    text = "permission denied"
    try:
        found = os.stat(path)
        group = grp.getgrgid(found.st_gid).gr_name
        user = pwd.getpwuid(os.geteuid()).pw_name
    except (OSError, KeyError):
        return PortError(text)
    if found.st_mode & 0o060 != 0o060:
        mode = f"{stat.S_IMODE(found.st_mode):04o}"
        return PortError(f"{text}; its mode is {mode}, so the group {group} has no access either: a udev rule can set GROUP and MODE")
    if found.st_gid == 0:
        return PortError(f"{text}; it belongs to the group {group}, which no user should join: a udev rule can set GROUP and MODE")
    return PortError(f"{text}; it belongs to the group {group}: sudo usermod -aG {group} {user}, log in again, and restart the gateway")
