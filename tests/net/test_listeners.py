"""Bound addresses."""

from __future__ import annotations

import errno
import os
import socket
import stat
from typing import Any

from twisted.internet import unix
from twisted.internet.address import IPv4Address
from twisted.internet.error import CannotListenError
from twisted.internet.protocol import Factory
from twisted.trial.unittest import SynchronousTestCase

from gateway.net import hosts
from gateway.net.listeners import Listener, ListenError, unix_listener

from ..building import make_runtime


class Port:
    def __init__(self) -> None:
        self.stopped = False

    def getHost(self) -> Any:
        return type("Host", (), {"host": "127.0.0.1", "port": 4242})()

    def stopListening(self) -> None:
        self.stopped = True


class ListenerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.runtime = make_runtime()
        self.failures: list[OSError] = []
        self.port = Port()
        self.listener = Listener("lan", "10.9.9.9:0", self.open_port, self.runtime.reactor, self.runtime.log, "10.9.9.9")

    def open_port(self, host: str) -> Port:
        if self.failures:
            raise CannotListenError("10.9.9.9", 0, self.failures.pop(0))
        return self.port

    def said(self) -> list[str]:
        return self.runtime.lines  # type: ignore[attr-defined,no-any-return]

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
        self.runtime.reactor.pump([2.0] * 10)
        self.assertEqual(len(self.said()), 3)
        self.assertIn("not an address of this machine (yet); it is tried again", self.said()[0])
        self.assertIn("listening", self.said()[1])
        self.assertIn("back after", self.said()[2])

    def test_stopped_before_it_is_there(self) -> None:
        """Stopping leaves no timer."""
        self.failures = [OSError(errno.EADDRNOTAVAIL, "no")]
        self.listener.start()
        self.listener.stop()
        self.assertEqual(self.runtime.reactor.getDelayedCalls(), [])

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
        self.runtime.reactor.pump([1.0] * 60)
        self.assertTrue(any("in use" in line for line in self.said()))
        self.runtime.reactor.pump([10.0] * 60)
        self.assertIsNotNone(self.listener.address)

    def test_reminder(self) -> None:
        """An address that never comes is logged again each hour."""
        self.failures = [OSError(errno.EADDRNOTAVAIL, "no")] * 999
        self.listener.start()
        self.runtime.reactor.pump([10.0] * 400)
        self.assertIn("absent for 1 h", self.said()[-1])
        self.listener.stop()


class Resolver:
    """A name resolver whose answers come when the test says so."""

    def __init__(self) -> None:
        self.asked: list[tuple[Any, str]] = []

    def resolveHostName(self, receiver: Any, host: str) -> None:
        self.asked.append((receiver, host))

    def answer(self, *hosts: str) -> None:
        receiver, _ = self.asked.pop()
        receiver.resolutionBegan(None)
        for host in hosts:
            receiver.addressResolved(IPv4Address("TCP", host, 0))
        receiver.resolutionComplete()


class NameTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.runtime = make_runtime()
        self.resolver = self.runtime.reactor.nameResolver = Resolver()
        self.opened: list[str] = []
        hosts_file = self.mktemp()
        with open(hosts_file, "w") as file:
            file.write("127.0.0.1 localhost\n192.0.2.5 bench\n")
        self.patch(hosts, "HOSTS", hosts_file)
        self.patch(socket, "getaddrinfo", None)

    def listener(self, host: str, failure: int = 0) -> Listener:
        def open_port(host: str) -> Port:
            self.opened.append(host)
            if failure:
                raise CannotListenError(host, 7000, OSError(failure, "no"))
            return Port()

        listener = Listener("lan", f"{host}:7000", open_port, self.runtime.reactor, self.runtime.log, host)
        self.addCleanup(listener.stop)
        return listener

    def said(self) -> list[str]:
        return self.runtime.lines  # type: ignore[attr-defined,no-any-return]

    def test_known(self) -> None:
        """An address, and a name that the hosts file has, is listened on at once, and nobody is asked."""
        for host in ("127.0.0.1", "::1", "bench"):
            self.listener(host).start()
        self.assertEqual((self.opened, self.resolver.asked), (["127.0.0.1", "::1", "192.0.2.5"], []))
        self.assertRaises(ListenError, self.listener("bench", errno.EADDRINUSE).start)

    def test_resolved(self) -> None:
        """Another name is looked up beside the reactor, and its first address is listened on; the log has one line."""
        self.listener("gw.example").start()
        self.assertEqual(self.opened, [])
        self.resolver.answer("192.0.2.1", "192.0.2.2")
        self.assertEqual((self.opened, len(self.said())), (["192.0.2.1"], 1))

    def test_not_resolved_yet(self) -> None:
        """A name that has no address yet is one line, which says what to do, and is looked up again until it has one."""
        self.listener("gw.example").start()
        for _ in range(5):
            self.resolver.answer()
            self.runtime.reactor.advance(60)
        self.assertEqual(len(self.said()), 1)
        self.assertIn("[lan] gw.example:7000: the host 'gw.example' is not found: check the name", self.said()[0])
        self.resolver.answer("192.0.2.1")
        self.assertEqual((self.opened, len(self.said())), (["192.0.2.1"], 3))

    def test_in_use_at_last(self) -> None:
        """An address that was looked up and is in use is tried again: the start is over by then."""
        self.listener("gw.example", errno.EADDRINUSE).start()
        self.resolver.answer("192.0.2.1")
        self.resolver.answer("192.0.2.1")
        self.assertEqual(len(self.said()), 1)
        self.assertIn("is in use by another program", self.said()[0])

    def test_stopped_meanwhile(self) -> None:
        """Stopping while a look-up is under way, the first or a later one, leaves no timer; its answer opens nothing."""
        for tries in (0, 1):
            listener = self.listener("gw.example")
            listener.start()
            for _ in range(tries):
                self.resolver.answer()
            listener.stop()
            self.resolver.answer("192.0.2.1")
            self.assertEqual((self.opened, listener.address, self.runtime.reactor.getDelayedCalls()), ([], None, []))


class UNIXListenerTests(SynchronousTestCase):
    def setUp(self) -> None:
        from twisted.internet.testing import MemoryReactorClock

        self.path = os.path.join(self.mktemp_short(), "s")
        self.runtime = make_runtime(MemoryReactorClock())
        self.listener = unix_listener("local", self.path, 0o600, Factory(), self.runtime.reactor, self.runtime.log)

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

    def test_messages(self) -> None:
        """What cannot be listened on is one line that says what to do: a missing folder, one that may not be written, a busy socket."""
        for place, number, words in (
            ("none/s", 0, "there is no folder"),
            ("s", errno.EACCES, "permission denied: this user needs write permission on"),
            ("s", errno.EROFS, "is read-only: choose another path"),
            ("s", errno.EMFILE, "too many open files: allow more"),
        ):
            if number:
                self.patch(unix.Port, "createInternetSocket", lambda port, number=number: self.refuse(number))
            path = os.path.join(os.path.dirname(self.path), place)
            listener = unix_listener("local", path, 0o600, Factory(), self.runtime.reactor, self.runtime.log)
            text = str(self.assertRaises(ListenError, listener.start))
            self.assertTrue(text.startswith(f"[local] cannot listen on {path}: "), text)
            self.assertIn(words, text)
            self.assertNotIn("Errno", text)

    def refuse(self, number: int) -> None:
        raise OSError(number, "no")

    def test_live_socket_of_others(self) -> None:
        """A live socket that takes nobody now, or not us, is not stolen either: only one that refuses is dead."""
        with socket.socket(socket.AF_UNIX) as live, socket.socket(socket.AF_UNIX) as first:
            live.bind(self.path)
            live.listen(0)
            first.connect(self.path)
            text = str(self.assertRaises(ListenError, self.listener.start))
        self.assertIn("in use by another program, which this user cannot see (sudo ss -lxp", text)
        self.assertTrue(os.path.exists(self.path))

    def test_live_socket(self) -> None:
        """A live one is never stolen, and a file that is no socket is never removed."""
        with socket.socket(socket.AF_UNIX) as live:
            live.bind(self.path)
            live.listen()
            self.assertIn("in use by this program itself", str(self.assertRaises(ListenError, self.listener.start)))
        os.unlink(self.path)
        with open(self.path, "w") as file:
            file.write("precious")
        self.assertIn("not a socket", str(self.assertRaises(ListenError, self.listener.start)))
        self.assertTrue(os.path.exists(self.path))
