"""Bound addresses."""

from __future__ import annotations

import errno
import os
import socket
import stat
from typing import Any

from twisted.internet import unix
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory
from twisted.trial.unittest import SynchronousTestCase

from gateway.listeners import Listener, ListenError, unix_listener

from .building import make_house


class Port:
    def __init__(self) -> None:
        self.stopped = False

    def getHost(self) -> Any:
        return type("Host", (), {"host": "127.0.0.1", "port": 4242})()

    def stopListening(self) -> None:
        self.stopped = True


class ListenerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.house = make_house()
        self.failures: list[OSError] = []
        self.port = Port()
        self.listener = Listener(self.house, "lan", "10.9.9.9:0", self.open_port, lambda address, security: None)

    def open_port(self, factory: Factory) -> Port:
        if self.failures:
            raise CannotListenError("10.9.9.9", 0, self.failures.pop(0))
        return self.port

    def said(self) -> list[str]:
        return self.house.lines  # type: ignore[attr-defined,no-any-return]

    def test_tells_the_port(self) -> None:
        """The port that was chosen is printed."""
        self.listener.start()
        self.assertEqual(self.said(), ["[lan] listening on 127.0.0.1:4242"])
        self.listener.stop()
        self.assertEqual((self.port.stopped, self.listener.address), (True, None))

    def test_not_yet(self) -> None:
        """An address that is not there yet is said once and tried again until it is."""
        self.failures = [OSError(errno.EADDRNOTAVAIL, "no")] * 3
        self.listener.start()
        self.house.reactor.pump([2.0] * 10)
        self.assertEqual(len(self.said()), 3)
        self.assertIn("not an address of this machine (yet); it is tried again", self.said()[0])
        self.assertIn("listening", self.said()[1])
        self.assertIn("back after", self.said()[2])

    def test_stopped_before_it_is_there(self) -> None:
        """Stopping leaves no timer."""
        self.failures = [OSError(errno.EADDRNOTAVAIL, "no")]
        self.listener.start()
        self.listener.stop()
        self.assertEqual(self.house.reactor.getDelayedCalls(), [])

    def test_in_use(self) -> None:
        """A port in use, or not permitted, is an error in one line that names link and address."""
        for number, words in ((errno.EADDRINUSE, "in use by another program"), (errno.EACCES, "below 1024")):
            self.failures = [OSError(number, "no")]
            error = self.assertRaises(ListenError, self.listener.start)
            self.assertIn("[lan] cannot listen on 10.9.9.9:0", str(error))
            self.assertIn(words, str(error))

    def test_in_use_later(self) -> None:
        """An address that comes but is then in use is tried on, and the new reason is said; nothing ends."""
        self.failures = [OSError(errno.EADDRNOTAVAIL, "no")] * 2 + [OSError(errno.EADDRINUSE, "no")] * 9
        self.listener.start()
        self.house.reactor.pump([1.0] * 60)
        self.assertTrue(any("in use" in line for line in self.said()))
        self.house.reactor.pump([10.0] * 60)
        self.assertIsNotNone(self.listener.address)

    def test_reminder(self) -> None:
        """An address that never comes is told again each hour."""
        self.failures = [OSError(errno.EADDRNOTAVAIL, "no")] * 999
        self.listener.start()
        self.house.reactor.pump([10.0] * 400)
        self.assertIn("absent for 1 h", self.said()[-1])
        self.listener.stop()


class UNIXListenerTests(SynchronousTestCase):
    def setUp(self) -> None:
        from twisted.internet.testing import MemoryReactorClock

        self.path = os.path.join(self.mktemp_short(), "s")
        self.house = make_house(MemoryReactorClock())
        self.listener = unix_listener(self.house, "local", self.path, 0o600, lambda address, security: None)

    def mktemp_short(self) -> str:
        import shutil
        import tempfile

        place = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, place)
        return place

    def test_mode(self) -> None:
        """The socket is its owner's alone, from its first moment: it is made under that mask, not changed afterwards."""
        masks: list[int] = []
        bound = unix.Port.startListening

        def startListening(port: Any) -> None:
            masks.append(os.umask(0))
            os.umask(masks[-1])
            bound(port)

        self.patch(unix.Port, "startListening", startListening)
        self.listener.start()
        self.assertEqual(masks, [0o177])
        self.addCleanup(self.listener._port.socket.close)
        self.assertEqual(stat.S_IMODE(os.stat(self.path).st_mode), 0o600)

    def test_dead_socket(self) -> None:
        """A socket that nobody listens on is replaced."""
        with socket.socket(socket.AF_UNIX) as dead:
            dead.bind(self.path)
        self.listener.start()
        self.addCleanup(self.listener._port.socket.close)

    def test_live_socket(self) -> None:
        """A live one is never stolen, and a file that is no socket is never removed."""
        with socket.socket(socket.AF_UNIX) as live:
            live.bind(self.path)
            live.listen()
            self.assertIn("another program", str(self.assertRaises(ListenError, self.listener.start)))
        os.unlink(self.path)
        with open(self.path, "w") as file:
            file.write("precious")
        self.assertIn("not a socket", str(self.assertRaises(ListenError, self.listener.start)))
        self.assertTrue(os.path.exists(self.path))
