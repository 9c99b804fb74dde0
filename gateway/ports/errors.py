"""Why a serial port cannot be opened, in the words of whoever has to go there and fix it."""

from __future__ import annotations

import grp
import os
import pwd
import re
import stat

from ..errors import GatewayError
from ..net.holders import holder


class PortError(GatewayError):
    """The port cannot be opened now. The text says why and what to do; whoever reports it names the port."""


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
    """For a path that is something else; ``mode`` is its st_mode where that tells what."""
    kind = _KINDS.get(stat.S_IFMT(mode))
    return PortError(f"is not a serial port but {kind}" if kind else "is not a serial port")


def absent(path: str) -> PortAbsentError:
    if re.fullmatch(r"COM[0-9]+", os.path.basename(path)):
        return PortAbsentError("is not there: COM names are for Windows, here a port is a path such as /dev/ttyUSB0")
    if os.path.islink(path):
        return PortAbsentError(f"is not there: it leads to {os.path.realpath(path)}, which does not exist")
    return PortAbsentError("is not there (is the device plugged in?)")


def busy(path: str, who: str = "") -> PortError:
    """``who`` holds it, where the caller knows that already."""
    who = who or holder(path)
    return PortError(f"is in use by {who}" if who else f"is in use by another program (sudo fuser -v {path} names it)")


def denied(path: str) -> PortError:
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
        return PortError(f"{text}; it belongs to the group {group}, which no other user should join: a udev rule can set GROUP and MODE")
    return PortError(f"{text}; it belongs to the group {group}: sudo usermod -aG {group} {user}, then start the gateway anew")
