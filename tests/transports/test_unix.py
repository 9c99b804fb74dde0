"""``transport = unix``."""

from __future__ import annotations

from typing import Any

from pydantic import ValidationError
from twisted.internet.address import UNIXAddress
from twisted.internet.testing import MemoryReactorClock
from twisted.trial.unittest import SynchronousTestCase

from gateway.config.plan import LinkPlan
from gateway.peer import PLAIN
from gateway.registry import load
from gateway.transports import unix

from ..building import Wire, make_runtime


def plan(**options: Any) -> LinkPlan:
    chosen = unix.Options(codec=load("codec", "raw").Options(), **options)
    return LinkPlan("local", "unix", chosen, load("framing", "lines").Options())


class OptionsTests(SynchronousTestCase):
    def test_one_place(self) -> None:
        """Exactly one of listen and connect, short enough for a socket's name."""
        for wrong in ({}, {"listen": "/a", "connect": "/b"}, {"listen": "/" + "x" * 107}):
            self.assertRaises(ValidationError, unix.Options, **wrong)

    def test_mode(self) -> None:
        """The owner's alone unless said; octal digits only."""
        self.assertEqual(unix.Options(listen="/a").mode, 0o600)
        self.assertEqual(unix.Options(listen="/a", mode="0660").mode, 0o660)
        self.assertRaises(ValidationError, unix.Options, listen="/a", mode="rw")


class ListeningTests(SynchronousTestCase):
    def test_accepted(self) -> None:
        """Each client is a session that the log can tell from the others; one too many is refused."""
        runtime = make_runtime(MemoryReactorClock())
        link: Any = unix.make_link(plan(listen="/tmp/x", max_sessions=1), runtime)
        link.how.accepted(UNIXAddress(None), PLAIN).makeConnection(Wire())
        self.assertEqual([session.peer.name for session in link.sessions], ["unix:/tmp/x client 1"])
        self.assertIsNone(link.how.accepted(UNIXAddress(None), PLAIN))


class ConnectingTests(SynchronousTestCase):
    def test_dials(self) -> None:
        """A connecting link dials its path as soon as it starts."""
        runtime = make_runtime(MemoryReactorClock())
        link: Any = unix.make_link(plan(connect="/tmp/x"), runtime)
        link.start()
        self.assertEqual((link.how.keeper.state, link.how.keeper._what), ("trying", "[local] unix:/tmp/x"))
        link.stop()
