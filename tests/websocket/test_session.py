"""A WebSocket client as a session."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.packet import Batch

from ..visiting import Setting, lines, make_link
from .test_frames import client_frame


class SessionTests(Setting, SynchronousTestCase):
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

    def test_slow_reader(self) -> None:
        """A client that does not read fills its outbox to the limit and no further; then it is told 1013 and cut."""
        link = make_link(self.runtime, outbox={"bytes": 1000})
        client = self.client(link).open()
        client.socket.room = 0
        for _ in range(1000):
            link.deliver(lines(b"x" * 98))
        self.assertEqual(client.close_code(), 1013)
        self.assertLess(len(client.socket.value()), 400)
        self.assertEqual(len(client.session.outbox), 0)
        self.assertEqual(self.runtime.memory.used, 0)
        self.assertEqual((link.counters["slow_disconnects"], link.counters["dropped_packets"]), (1, 999))
        self.clock.advance(self.runtime.linger)
        self.assertTrue(client.socket.aborted)
        self.assertIn("outbox.when_full = disconnect", self.said())

    def test_drop_oldest(self) -> None:
        """Under another policy the slow client stays, loses what the policy says, and what it gets are whole messages."""
        link = make_link(self.runtime, outbox={"bytes": 350, "when_full": "drop-oldest"})
        client = self.client(link).open()
        client.socket.room = 0
        for number in range(10):
            link.deliver(lines(b"%098d" % number))
        client.socket.drain()
        self.assertEqual([int(payload) for _, payload in client.frames()], [0, 7, 8, 9])

    def test_kinds_of_messages(self) -> None:
        """UTF-8 goes as text, other bytes as binary; with raw everything is binary."""
        for codec, expected in (("text", [0x81, 0x82, 0x81]), ("raw", [0x82, 0x82, 0x82])):
            link = make_link(self.runtime, path=f"/{codec}", codec=codec)
            client = self.client(link).open()
            link.deliver(lines(b"plain", b"\xff\xfe", "µ".encode()))
            self.assertEqual([first for first, _ in client.frames()], expected)

    def test_no_echo(self) -> None:
        """A client does not get what it sent itself."""
        link = make_link(self.runtime)
        one, two = self.client(link).open(), self.client(link).open()
        link.deliver(lines(b"x", origin=one.session.id))
        self.assertEqual((one.frames(), two.frames()), ([], [(0x81, b"x")]))

    def test_late(self) -> None:
        """What a client says while it is being ended is counted, for the link and for the client, and is no packet."""
        link = make_link(self.runtime)
        client = self.client(link).open()
        client.socket.room = 0
        link.deliver(lines(b"x"))
        link.deliver(lines(b"waits"))
        session = client.session
        session.close("the gateway stops")
        client.send(client_frame(b"late") + client_frame(b"too"))
        self.assertEqual((self.heard, link.counters["late_bytes"], session.received_bytes), ([], 7, 7))
        client.socket.drain()
        self.assertEqual(client.close_code(), 1001)
        behind_close = client_frame(b"later", mask=b"1234") + client_frame(b"x" * 200, mask=b"1234")
        client.send(behind_close[:100])
        client.send(behind_close[100:])
        self.assertEqual((self.heard, link.counters["late_bytes"]), ([], 7 + len(behind_close)))

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
