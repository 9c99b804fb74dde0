"""The simulated world itself: time, order, sockets and ports behave as real ones do."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.ports.errors import PortAbsentError, PortError
from gateway.ports.settings import PortSettings

from .gateway import Simulated
from .sockets import Peer, SimSocket
from .ttys import Uart
from .world import BEGIN, BrokenError, World


class TimeTests(SynchronousTestCase):
    def test_order(self) -> None:
        """What is due comes in the order of its time, and of what was asked first at the same time; time jumps in between."""
        world, told = World(1), []
        for delay, name in ((2.0, "late"), (1.0, "first"), (1.0, "second")):
            world.at(delay, lambda name=name: told.append((world.now - BEGIN, name)))
        world.run(BEGIN + 10)
        self.assertEqual(told, [(1.0, "first"), (1.0, "second"), (2.0, "late")])
        self.assertEqual(world.now, BEGIN + 10)

    def test_timers(self) -> None:
        """A timer can be cancelled and set anew, once only; cancelling one that has fired is a fault of the program."""
        world, told = World(1), []
        timer = world.at(1.0, told.append, "one")
        timer.reset(3.0)
        gone = world.at(1.0, told.append, "two")
        gone.cancel()
        world.run(BEGIN + 2)
        self.assertEqual((told, timer.active(), len(world.waiting())), ([], True, 1))
        world.run(BEGIN + 4)
        self.assertEqual((told, timer.active()), (["one"], False))
        self.assertRaises(BrokenError, timer.cancel)

    def test_wall(self) -> None:
        """The wall clock can jump; the other does not."""
        world = World(1)
        before = world.wall()
        world.wall_offset -= 3600 * 10**9
        self.assertEqual((before - world.wall(), world.now), (3600 * 10**9, BEGIN))


class SocketTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.sim = Simulated(1, folder)
        self.network = self.sim.network
        self.listening = SimSocket(self.network)
        self.listening.bind(("127.0.0.1", 7000))
        self.listening.listen(1)
        self.got: list[bytes] = []
        self.ends: list[str] = []

    def peer(self) -> Peer:
        peer = Peer(self.network, "client")
        peer.on_data, peer.on_end = self.got.append, self.ends.append
        self.network.connect(peer, ("127.0.0.1", 7000))
        self.run_on()
        return peer

    def joined(self) -> tuple[Peer, SimSocket]:
        peer = self.peer()
        accepted = self.listening.accept()[0]
        self.run_on()
        return peer, accepted

    def run_on(self, seconds: float = 1.0) -> None:
        self.sim.world.run(self.sim.world.now + seconds)

    def assert_error(self, number: int, call: Any, *arguments: Any) -> None:
        self.assertEqual(self.assertRaises(OSError, call, *arguments).errno, number)

    def test_both_ways(self) -> None:
        """Bytes go both ways; where there are none, and after the end, it is as with a real socket."""
        peer, sock = self.joined()
        self.assert_error(errno.EAGAIN, sock.recv, 10)
        peer.send(b"set 1")
        self.assertEqual((sock.send(b"12.5"), self.got, sock.recv(3), sock.recv(10)), (4, [b"12.5"], b"set", b" 1"))
        peer.shut()
        self.assertEqual((sock.recv(10), sock.send(b"still")), (b"", 5))

    def test_full(self) -> None:
        """A peer that stops reading fills its buffer: sends are cut, then refused; once it reads, there is room again."""
        peer, sock = self.joined()
        peer.capacity = 10
        peer.pause()
        self.assertEqual(sock.send(b"x" * 8), 8)
        self.assertEqual(sock.send(b"y" * 8), 2)
        self.assert_error(errno.EAGAIN, sock.send, b"z")
        self.assertFalse(sock.writable)
        peer.resume()
        self.assertEqual((b"".join(self.got), sock.writable), (b"x" * 8 + b"yy", True))

    def test_reset(self) -> None:
        """A reset is an error at the next read, behind what came before; who sends to one that is gone gets one too."""
        peer, sock = self.joined()
        peer.send(b"last")
        peer.reset()
        self.assertEqual(sock.recv(10), b"last")
        self.assert_error(errno.ECONNRESET, sock.recv, 10)
        peer, sock = self.joined()
        peer.close()
        self.assertEqual(sock.recv(10), b"")
        sock.send(b"hello?")
        self.assert_error(errno.ECONNRESET, sock.send, b"hello?")

    def test_closed_beside_unread_bytes(self) -> None:
        """To close beside unread bytes resets: what is under way is lost."""
        peer, sock = self.joined()
        peer.delay = 0.1
        peer.send(b"unread")
        sock.send(b"goodbye")
        sock.close()
        self.run_on()
        self.assertEqual((self.got, self.ends, sock.fileno()), ([], ["reset"], -1))

    def test_vanished(self) -> None:
        """Of a lost path nobody is told, until the system gives up after a minute."""
        peer, sock = self.joined()
        peer.lose_path()
        sock.send(b"anybody?")
        self.run_on(50)
        self.assertEqual((self.got, sock.hung), ([], False))
        self.run_on(20)
        self.assert_error(errno.ETIMEDOUT, sock.recv, 10)

    def test_backlog(self) -> None:
        """When the backlog is full a client tries again until there is room; where nobody listens it is refused."""
        self.peer()
        second = self.peer()
        self.listening.accept()
        self.run_on(5)
        self.assertTrue(self.listening.readable)
        self.listening.accept()
        self.run_on()
        self.assertTrue(second.opened)
        self.listening.close()
        self.peer()
        self.assertEqual(self.ends[-1], "refused")

    def test_in_use(self) -> None:
        """An address can be listened on once."""
        self.assert_error(errno.EADDRINUSE, SimSocket(self.network).bind, ("127.0.0.1", 7000))

    def test_no_descriptor_left(self) -> None:
        """When descriptors are used up, the next try succeeds: Twisted keeps one to accept and close with."""
        self.peer()
        self.network.short_of_files = True
        self.assert_error(errno.EMFILE, self.listening.accept)
        self.listening.accept()


class PortTests(SynchronousTestCase):
    def setUp(self) -> None:
        folder = Path(self.mktemp())
        folder.mkdir()
        self.sim = Simulated(1, folder)
        self.uart = Uart(self.sim.world, self.sim.devices, "/dev/ttyUSB0", 9600)
        self.tty = self.sim.devices.open("/dev/ttyUSB0", PortSettings())
        self.told: list[bytes] = []
        self.uart.on_data = self.told.append

    def test_speed(self) -> None:
        """What is written needs its time on the line."""
        self.assertEqual(self.tty.write_some(b"x" * 96), 96)
        self.sim.world.run(BEGIN + 0.05)
        self.assertEqual((b"".join(self.told), self.tty.unsent()), (b"", 96))
        self.sim.world.run(BEGIN + 0.2)
        self.assertEqual((b"".join(self.told), self.tty.unsent()), (b"x" * 96, 0))

    def test_buffer(self) -> None:
        """The kernel's buffer is bounded: what a device says beyond it is lost, what the program writes beyond it waits."""
        self.uart.say(b"y" * 5000)
        self.assertEqual((len(self.tty.read_some(9999)), self.uart.overrun), (4095, 905))
        self.assertRaises(BlockingIOError, self.tty.read_some, 1)
        self.uart.stop()
        self.assertEqual(self.tty.write_some(b"x" * 5000), 4096)
        self.assertRaises(BlockingIOError, self.tty.write_some, b"x")

    def test_unplugged(self) -> None:
        """An unplugged port gives what had come, then an error; its node is gone, and another comes with the device."""
        before = self.sim.devices.look("/dev/ttyUSB0")
        self.uart.say(b"half")
        self.uart.unplug()
        self.assertEqual(self.tty.read_some(10), b"half")
        self.assertEqual(self.assertRaises(OSError, self.tty.read_some, 10).errno, errno.EIO)
        self.assertIsNone(self.sim.devices.look("/dev/ttyUSB0"))
        self.assertRaises(PortAbsentError, self.sim.devices.open, "/dev/ttyUSB0", PortSettings())
        self.uart.plug("/dev/ttyUSB0")
        self.assertNotEqual(self.sim.devices.look("/dev/ttyUSB0"), before)

    def test_once(self) -> None:
        """A port that is open cannot be opened again."""
        self.assertRaises(PortError, self.sim.devices.open, "/dev/ttyUSB0", PortSettings())
