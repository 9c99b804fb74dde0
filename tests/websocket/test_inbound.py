"""How a client's bytes are read: what they cost, and what is kept of them."""

from __future__ import annotations

import gc
import weakref
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.bus.outbox import Outbox
from gateway.packet import Batch
from gateway.websocket import inbound
from gateway.websocket.frames import BINARY, TEXT
from gateway.websocket.inbound import MOST_PONGS

from ..building import lines
from ..visiting import Client, Setting, make_link, path_of
from .test_frames import client_frame

READ = 1 << 16


class CostTests(Setting, SynchronousTestCase):
    """Autobahn takes microseconds for each frame, and copies all that it was given: what reaches it is counted instead of time."""

    def given(self, client: Client) -> list[int]:
        """The sizes of what Autobahn is given from now on."""
        sizes: list[int] = []
        read = client.protocol._dataReceived

        def count(data: bytes) -> None:
            sizes.append(len(data))
            read(data)

        client.protocol._dataReceived = count
        return sizes

    def test_tiny_messages(self) -> None:
        """Reads that end inside a frame do not leave the short way: nothing of tiny messages reaches Autobahn, and none is lost."""
        client = self.client(make_link(self.runtime)).open()
        sizes = self.given(client)
        data = client_frame(b"x") * 30000
        for start in range(0, len(data), READ):
            client.send(data[start : start + READ])
        self.assertEqual((sizes, self.heard), ([], [b"x"] * 30000))

    def test_mixed(self) -> None:
        """Messages, pings and pongs in turn are one batch for each read, and do not reach Autobahn."""
        batches: list[Batch] = []
        self.runtime.bus.subscribe(["web"], batches.append, "batches")
        client = self.client(make_link(self.runtime)).open()
        sizes = self.given(client)
        client.send((client_frame(b"a") + client_frame(b"?", 0x89) + client_frame(b"b", BINARY) + client_frame(b"", 0x8A)) * 1000)
        self.assertEqual((sizes, [batch.count for batch in batches]), ([], [2000]))

    def test_one_frame_at_a_time(self) -> None:
        """What Autobahn has to see it is given frame by frame, and what follows goes the short way again."""
        client = self.client(make_link(self.runtime)).open()
        sizes = self.given(client)
        client.send(client_frame(b"l" * 200, BINARY) + client_frame(b"s") * 100 + client_frame(b"m" * 300)[:100])
        self.assertEqual(sizes, [208, 100])
        self.assertEqual(self.heard, [b"l" * 200] + [b"s"] * 100)

    def test_tiny_fragments(self) -> None:
        """A flood of middle fragments reaches Autobahn as one for each read; they are counted nevertheless."""
        link = make_link(self.runtime)
        client = self.client(link).open()
        client.send(client_frame(b"", 0x01))
        sizes = self.given(client)
        for _ in range(path_of(link).factory.max_fragments // 1000):
            client.send(client_frame(b"x", 0x00) * 1000)
        self.assertEqual(sizes, [1008] * (path_of(link).factory.max_fragments // 1000))
        client.send(client_frame(b"x", 0x00) * 1000)
        self.assertEqual(client.close_code(), 1008)

    def test_small_fragmented_messages(self) -> None:
        """Messages in a few tiny fragments do not reach Autobahn either."""
        client = self.client(make_link(self.runtime)).open()
        sizes = self.given(client)
        client.send((client_frame(b"a", 0x01) + client_frame(b"?", 0x89) + client_frame(b"b", 0x80)) * 1000)
        self.assertEqual((sizes, self.heard), ([], [b"ab"] * 1000))

    def test_pings_of_one_read(self) -> None:
        """The latest pings of one read are answered, in one write."""
        client = self.client(make_link(self.runtime)).open()
        client.send(b"".join(client_frame(b"%d" % number, 0x89) for number in range(100)))
        self.assertEqual(client.frames(), [(0x8A, b"%d" % number) for number in range(100 - MOST_PONGS, 100)])

    def test_after_our_close(self) -> None:
        """After our Close nothing but the peer's is looked for, wherever reads end and whatever comes before it."""
        client = self.client(make_link(self.runtime)).open()
        client.send(client_frame(b"l" * 500, BINARY, b"abcd")[:100])
        client.session.close("test")
        sizes = self.given(client)
        client.send(client_frame(b"l" * 500, BINARY, b"abcd")[100:])
        flood = client_frame(b"x") * 100 + client_frame(b"y" * 70000) + client_frame(b"?", 0x89) + client_frame(b"z", 0x01)
        behind = flood + client_frame(b"\x03\xe9", 0x88) + flood
        for start in range(0, len(behind), 1003):
            client.send(behind[start : start + 1003])
        self.assertEqual((sizes, self.heard), ([8], []))
        self.assertTrue(client.socket.disconnecting)

    def test_order(self) -> None:
        """What stands before a violation is published, whichever way it was read."""
        client = self.client(make_link(self.runtime)).open()
        client.send(client_frame(b"a") + client_frame(b"b" * 200) + client_frame(b"c") + client_frame(b"d", 0xC1) + client_frame(b"e"))
        self.assertEqual(self.heard, [b"a", b"b" * 200, b"c"])
        self.assertEqual(client.close_code(), 1002)

    def test_early_verdict(self) -> None:
        """Text that is wrong is refused before its frame is whole."""
        client = self.client(make_link(self.runtime)).open()
        client.send(client_frame(b"ab\xff and more")[:9])
        self.assertEqual(client.close_code(), 1007)

    def test_our_fault(self) -> None:
        """A fault of ours ends this session, is counted, and reaches nobody else."""
        link = make_link(self.runtime)
        client = self.client(link).open()

        def fail(bodies: Any) -> None:
            raise ZeroDivisionError

        self.patch(type(client.session), "received_messages", lambda session, bodies: fail(bodies))
        client.send_frame(b"x")
        self.assertEqual((client.socket.aborted, link.counters["failures"]), (True, 1))


class MemoryTests(Setting, SynchronousTestCase):
    def begun(self, client: Client, size: int = 1 << 16) -> None:
        """Send a message of so many bytes but the last."""
        data = client_frame(bytes(size), BINARY, b"\0\0\0\0")
        client.send(data[:-1])

    def kept(self, client: Client) -> int:
        protocol = client.protocol
        pieces = [*protocol.message_data, *(protocol.frame_data or ()), *protocol._bodies, protocol.data, protocol._head]
        return sum(map(len, pieces))

    def test_lost(self) -> None:
        """A client that is lost inside a message leaves nothing behind: no bytes, and no objects that wait for the garbage collector."""
        link = make_link(self.runtime)
        gc.disable()
        self.addCleanup(gc.enable)
        for data in (client_frame(b"part", 0x01) + client_frame(b"short")[:5], client_frame(b"x" * 9)[:7], b""):
            client = Client(link).open()
            client.send(data)
            self.begun(client)
            client.session.pause("somebody")
            client.socket.room = 0
            for _ in range(3):
                link.deliver(lines(b"waits"))
            client.session.close("test")
            client.lose()
            self.assertEqual((self.kept(client), path_of(link).factory.unfinished), (0, 0))
        protocol, session = weakref.ref(client.protocol), weakref.ref(client.session)
        del client.socket.protocol, client  # as Twisted's own transports do
        outboxes = [each for each in gc.get_objects() if isinstance(each, Outbox) and each._memory is self.runtime.memory]
        self.assertEqual((protocol(), session(), outboxes), (None, None, []))

    def test_failed_and_closed(self) -> None:
        """With its Close, and with ours when more comes, what a client had begun is gone."""
        link = make_link(self.runtime)
        for end in (lambda client: client.send(client_frame(b"new")), lambda client: client.send_frame(b"\x03\xe8", 0x88)):
            client = self.client(link).open()
            client.send(client_frame(b"x" * 50000, 0x02))
            self.assertGreater(self.kept(client), 0)
            end(client)
            self.assertEqual((self.kept(client), path_of(link).factory.unfinished), (0, 0))
        client = self.client(link).open()
        self.begun(client)
        client.session.close("test")
        client.send(b"x")
        self.assertEqual((self.kept(client), path_of(link).factory.unfinished), (0, 0))

    def test_all_together(self) -> None:
        """Unfinished messages of all clients have one limit; who goes over it gets 1013, is counted, and the others go on."""
        link = make_link(self.runtime)
        path_of(link).factory.max_unfinished = 200_000
        clients = [self.client(link).open() for _ in range(4)]
        for client in clients:
            self.begun(client)
        self.assertEqual(clients[3].close_code(), 1013)
        self.assertEqual((link.counters["unfinished_messages"], link.counters["protocol_errors"]), (1, 0))
        self.assertIn("unfinished messages of all clients are over 200000 bytes", self.said())
        for client in clients[:3]:
            client.send(b"\0")
        self.assertEqual((len(self.heard), path_of(link).factory.unfinished), (3, 0))

    def test_whole_messages_pass(self) -> None:
        """A long message that comes whole is taken whatever others have begun."""
        link = make_link(self.runtime)
        path_of(link).factory.max_unfinished = 70_000
        self.begun(self.client(link).open())
        self.client(link).open().send(client_frame(bytes(50_000)))
        self.assertEqual(len(self.heard), 1)

    def test_pieces_count(self) -> None:
        """Each piece of a message counts with what it costs besides its bytes, so that dribbling gains nothing."""
        link = make_link(self.runtime)
        client = self.client(link).open()
        client.send(client_frame(bytes(1000), BINARY)[:8])
        for _ in range(100):
            client.send(b"12")
        self.assertEqual(path_of(link).factory.unfinished, 100 * (2 + inbound._PIECE))

    def test_default(self) -> None:
        """The limit is 64 MiB, or four of the longest messages."""
        self.assertEqual(path_of(make_link(self.runtime)).factory.max_unfinished, 64 << 20)
        self.assertEqual(path_of(make_link(self.runtime, path="/2", max_message="16MiB")).factory.max_unfinished, 64 << 20)


class OrderTests(Setting, SynchronousTestCase):
    def test_any_pieces(self) -> None:
        """However the bytes are cut, the packets are the same."""
        frames = [
            client_frame(b"one"),
            client_frame(b"?", 0x89),
            client_frame(b"a", 0x01) + client_frame(b"b", 0x00) + client_frame(b"!", 0x8A) + client_frame(b"c", 0x80),
            client_frame(b"l" * 200, BINARY),
            client_frame("µ".encode(), TEXT),
            client_frame(b"", 0x02) + client_frame(b"", 0x80),
            client_frame(b"h" * 70000),
        ]
        data = b"".join(frames) * 2
        expected = [b"one", b"abc", b"l" * 200, "µ".encode(), b"", b"h" * 70000] * 2
        for size in (1, 2, 3, 7, 13, 100, 1000, 65536, len(data)):
            self.heard.clear()
            client = self.client(make_link(self.runtime, path=f"/{size}")).open()
            for start in range(0, len(data), size):
                client.send(data[start : start + size])
            self.assertEqual(self.heard, expected, size)
