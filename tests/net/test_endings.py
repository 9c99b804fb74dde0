"""Why a connection ended, in words."""

from __future__ import annotations

import errno
import socket

from twisted.internet import error
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gateway.net import endings as reasons
from gateway.net.endings import event_of, how_ended, in_words
from gateway.tls.failures import TlsFailed

ADVICE = "check the name and this machine's name server, or write the address"


class ReasonsTests(SynchronousTestCase):
    def test_words(self) -> None:
        """Twisted's own errors have short texts; those of others, and what has a text of its own, stay as they are."""
        for value, words in (
            (error.ConnectionDone(), "closed by the peer"),
            (error.ConnectionLost(), "lost: reset, or vanished"),
            (error.ConnectionAborted(), "cut"),
            (error.ConnectionRefusedError(), "connection refused"),
            (error.TimeoutError(), "no answer in time"),
            (error.NoRouteError(), "no route to its network: is this machine's own network up, and the address right?"),
            (error.DNSLookupError("no results for hostname lookup: gw.example"), f"the host 'gw.example' is not found: {ADVICE}"),
            (socket.gaierror(-2, "Name or service not known"), f"the host is not found: {ADVICE}"),
            (error.getConnectError(OSError(errno.EIO, "no")), "input/output error"),
            (OSError(errno.ECONNRESET, "no"), "reset by the peer"),
            (OSError("unplugged"), "unplugged"),
            (ValueError(), "ValueError"),
        ):
            self.assertEqual(in_words(Failure(value)), words)

    def test_numbers(self) -> None:
        """No error of the system is shown as a number: words say what failed, and what to do where something can be done."""
        for number in (*reasons._NUMBERS, *reasons._PATHS):
            words = in_words(Failure(error.getConnectError(OSError(number, "raw"))))
            self.assertNotRegex(words, "raw|[Ee]rrno|[0-9][0-9]|occurred")
        self.assertIn("switched on", in_words(Failure(error.getConnectError(OSError(errno.EHOSTUNREACH, "raw")))))
        self.assertIn("LimitNOFILE", in_words(Failure(error.getConnectError(OSError(errno.EMFILE, "raw")))))
        self.assertIn("is the program that listens there running", in_words(Failure(error.getConnectError(OSError(errno.ENOENT, "raw")))))

    def test_events(self) -> None:
        """A failure of TLS has the name of its counter; other ends have none."""
        self.assertEqual([event_of(Failure(value)) for value in (TlsFailed("x", "y"), error.ConnectionDone())], ["x", ""])

    def test_kinds(self) -> None:
        """How a connection ended is of one of a few kinds, with words."""
        for reason, kind in (
            (error.ConnectionDone(), "eof"),
            (error.ConnectionAborted(), "local"),
            (error.TimeoutError(), "timeout"),
            (error.ConnectionLost(), "reset"),
            (OSError(errno.EIO, "Input/output error"), "error"),
        ):
            ended = how_ended(Failure(reason))
            self.assertEqual((ended.kind, ended.clean, ended.text), (kind, False, in_words(Failure(reason))))
