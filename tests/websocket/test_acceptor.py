"""WebSocket clients as the sessions of a link."""

from __future__ import annotations

from twisted.internet.error import ConnectionDone
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gateway.packet import Batch
from gateway.peer import Peer

from ..building import lines
from ..visiting import Setting, Socket, make_link, path_of
from .test_frames import client_frame


class PathTests(Setting, SynchronousTestCase):
    def test_one_batch_for_one_read(self) -> None:
        """Short messages of one read are one batch on the bus, numbered without a gap."""
        batches: list[Batch] = []
        self.runtime.bus.subscribe(["web"], batches.append, "batches")
        client = self.client(make_link(self.runtime)).open()
        client.send(client_frame(b"a") + client_frame(b"b"))
        client.send(client_frame(b"c"))
        self.assertEqual([(batch.seq, batch.count, batch.data) for batch in batches], [(1, 2, b"ab"), (3, 1, b"c")])

    def test_encoded_once(self) -> None:
        """However many clients there are, they are given the same bytes object."""
        link = make_link(self.runtime)
        written: list[bytes] = []
        for _ in range(3):
            self.client(link).open().socket.write = written.append  # type: ignore[method-assign]
        link.deliver(lines(b"one", b"two"))
        self.assertEqual(written, [b"\x81\x03one\x81\x03two"] * 3)
        self.assertEqual(len({id(data) for data in written}), 1)

    def test_no_echo(self) -> None:
        """A client does not get what it sent itself."""
        link = make_link(self.runtime)
        one, two = self.client(link).open(), self.client(link).open()
        link.deliver(lines(b"x", origin=one.session.id))
        self.assertEqual((one.frames(), two.frames()), ([], [(0x81, b"x")]))

    def test_pulse_fails(self) -> None:
        """A fault of ours at a ping ends that client, is counted and logged once at length; the others are pinged as before."""
        link = make_link(self.runtime)
        broken, good = self.client(link).open(), self.client(link).open()

        def fail() -> None:
            raise ZeroDivisionError

        broken.protocol.ping = fail
        self.clock.pump([1.0] * 39)
        self.assertEqual((broken.socket.aborted, good.socket.aborted), (True, False))
        self.assertIn((0x89, b""), good.frames())
        self.assertEqual((link.counters["failures"], self.said().count("still there")), (1, 1))

    def test_link_stops(self) -> None:
        """When the link stops, every client is told 1001, and the link waits until all are gone."""
        link = make_link(self.runtime)
        clients = [self.client(link).open() for _ in range(3)]
        stopped = link.stop()
        self.assertEqual([client.close_code() for client in clients], [1001] * 3)
        for client in clients:
            self.assertNoResult(stopped)
            client.lose()
        self.successResultOf(stopped)

    def test_gone_in_the_handshake(self) -> None:
        """Who goes before its WebSocket is open was no session: it is not counted, and nobody waits for it."""
        link = make_link(self.runtime)
        protocol = path_of(link).upgrade(Peer(False, name="10.0.0.1:1"))
        protocol.makeConnection(Socket())
        protocol.connectionLost(Failure(ConnectionDone()))
        self.assertEqual((link.sessions, link.counters["connected"], link.counters["disconnected"]), ({}, 0, 0))
        self.successResultOf(link.stop())

    def test_who_is_refused(self) -> None:
        """A client too many is refused with the limit, in the words that it is told, and reported."""
        link = make_link(self.runtime, max_sessions=1)
        self.assertEqual(path_of(link).refusal("10.0.0.1:1"), "")
        self.client(link).open()
        self.assertIn("max_sessions = 1", path_of(link).refusal("10.0.0.2:2"))
        self.assertEqual(link.counters["refused_sessions"], 1)
        self.assertIn("[web] 10.0.0.2:2: refused, there is 1 session (max_sessions)", self.said())

    def test_comes_and_goes(self) -> None:
        """Each client is told in the log when it comes and when it goes, with what it sent; without clients no timer runs."""
        link = make_link(self.runtime)
        client = self.client(link, security=Peer(True, "buoy-7")).open(origin="https://127.0.0.1:8080")
        client.send_frame(b"hello")
        client.lose()
        self.assertIn("[web] 127.0.0.1:40000: connected as buoy-7", self.runtime.lines)
        self.assertIn("[web] 127.0.0.1:40000: gone: closed by the peer; it sent 5 bytes", self.runtime.lines)
        self.assertEqual((link.counters["connected"], link.counters["disconnected"]), (1, 1))
        self.assertEqual(self.clock.getDelayedCalls(), [])
