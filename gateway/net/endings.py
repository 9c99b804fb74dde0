"""Why a connection ended or could not be made, in words for the log: what failed, and what to do."""

from __future__ import annotations

import errno
import os
from typing import Literal

from twisted.internet import error
from twisted.python.failure import Failure

from ..peer import Ended
from .sockets import LookupFailed

_WORDS: tuple[tuple[type[Exception], str], ...] = (
    (error.ConnectionDone, "closed by the peer"),
    (error.ConnectionAborted, "cut"),
    (error.ConnectionRefusedError, "connection refused"),
    (error.TimeoutError, "no answer in time"),
    (error.NoProtocol, "no session can be made for it, by a fault of the gateway: the log has it above"),
    (error.NoRouteError, "no route to its network: is this machine's own network up, and the address right?"),
)
_NUMBERS = {
    errno.EHOSTUNREACH: "no route to that host: is it switched on and connected, and is the address right?",
    errno.ENETUNREACH: "no route to its network: is this machine's own network up, and the address right?",
    errno.ENETDOWN: "this machine's network is down",
    errno.ECONNREFUSED: "connection refused",
    errno.ECONNRESET: "reset by the peer",
    errno.ECONNABORTED: "cut by the network",
    errno.EPIPE: "closed by the peer",
    errno.ETIMEDOUT: "no answer in time",
    errno.EADDRNOTAVAIL: "this machine has no free port, or no address, to connect from",
    errno.EAFNOSUPPORT: "this machine does not speak that kind of address (is IPv6 switched off?)",
    errno.EMFILE: "this program has too many open files: allow more (LimitNOFILE= in its systemd unit, or ulimit -n)",
    errno.ENFILE: "this machine has too many open files: allow more (sysctl fs.file-max)",
    errno.ENOBUFS: "this machine is out of memory for its network",
}
_PATHS = {
    errno.ENOENT: "there is no such socket: is the program that listens there running, and is the path right?",
    errno.EACCES: "permission denied: this user needs write permission on the socket: is it in the socket's group?",
    errno.ENOTSOCK: "what is there is not a socket: is the path right?",
}
"""Errors of a connection to a UNIX socket; for a file the same numbers have another meaning."""
_TO_DO = "check the name and this machine's name server, or write the address"


def unknown_host(host: str) -> str:
    """The text for a name that has no address (now): that, and what to do."""
    return f"the host {host!r} is not found: {_TO_DO}"


def event_of(reason: Failure) -> str:
    """The counter that an error of ours names (``host_mismatch``); ``""`` for any other end."""
    return str(getattr(reason.value, "event", ""))


def in_words(reason: Failure) -> str:
    """A short text for an error of Twisted or of the system; any other error gives its own text."""
    value = reason.value
    for kind, words in _WORDS:
        if isinstance(value, kind):
            return words
    if type(value) is error.ConnectionLost:
        return "lost: reset, or vanished"
    text = reason.getErrorMessage().strip()
    if isinstance(value, error.DNSLookupError):
        # Twisted: DNS lookup failed: no results for hostname lookup: NAME.
        return unknown_host(text.rpartition(": ")[2].removesuffix("."))
    if isinstance(value, LookupFailed | error.UnknownHostError):
        return f"the host is not found: {_TO_DO}"
    if isinstance(value, error.ConnectError):
        number = value.osError
        return _NUMBERS.get(number) or _PATHS.get(number) or (os.strerror(number).lower() if number else text)
    if isinstance(value, OSError) and value.errno in _NUMBERS:
        return _NUMBERS[value.errno]
    return text or type(value).__name__


def how_ended(reason: Failure) -> Ended:
    """How a connection ended that was there."""
    kinds: tuple[tuple[type[Exception], Literal["eof", "local", "timeout", "reset"]], ...] = (
        (error.ConnectionDone, "eof"),
        (error.ConnectionAborted, "local"),
        (error.TimeoutError, "timeout"),
        (error.ConnectionLost, "reset"),
    )
    for type_, kind in kinds:
        if isinstance(reason.value, type_):
            return Ended(kind, in_words(reason))
    return Ended("error", in_words(reason))
