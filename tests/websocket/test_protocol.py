"""The hardened protocol: each fault of Autobahn that a link can meet."""

from __future__ import annotations

import os

from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gateway.bus.outbox import OVERHEAD, PLACE
from gateway.tls.failures import TlsFailed
from gateway.websocket.frames import BINARY, TEXT
from gateway.websocket.protocol import half_close

from ..building import lines, outbox
from ..visiting import Setting, Socket, make_link, path_of
from .test_frames import client_frame


class MessageTests(Setting, SynchronousTestCase):
    def test_messages_are_packets(self) -> None:
        """Each message is one packet: short ones in one burst, long ones, text and binary, in order."""
        client = self.client(make_link(self.runtime)).open()
        bodies = [b"one", b"", b"\x00\xff", b"x" * 125, b"y" * 126, b"z" * 70000, b"last"]
        client.send(b"".join(client_frame(body, BINARY) for body in bodies))
        self.assertEqual(self.heard, bodies)

    def test_byte_by_byte(self) -> None:
        """However the bytes come, the packets are the same."""
        client = self.client(make_link(self.runtime)).open()
        for byte in client_frame(b"one") + client_frame("zwölf".encode()) + client_frame(b"t" * 300, BINARY):
            client.send(bytes((byte,)))
        self.assertEqual(self.heard, [b"one", "zwölf".encode(), b"t" * 300])

    def test_fragments(self) -> None:
        """A fragmented message is one packet, also with a ping inside it; what follows is read as usual."""
        client = self.client(make_link(self.runtime)).open()
        client.send(client_frame(b"a", 0x01) + client_frame(b"?", 0x89) + client_frame(b"b", 0x00))
        client.send(client_frame(b"c", 0x80) + client_frame(b"d"))
        self.assertEqual(self.heard, [b"abc", b"d"])
        self.assertEqual(client.frames(), [(0x8A, b"?")])

    def test_limits(self) -> None:
        """max_message is taken, one byte more is closed with 1009 from the announced length alone, in one frame and in fragments."""
        link = make_link(self.runtime, max_message=1000)
        client = self.client(link).open()
        client.send_frame(b"x" * 1000)
        self.assertEqual([len(body) for body in self.heard], [1000])
        for frames in (client_frame(b"x" * 1001)[:8], client_frame(b"x" * 900, 0x01) + client_frame(b"x" * 101, 0x80)[:6]):
            client = self.client(link).open()
            client.send(frames)
            self.assertEqual(client.close_code(), 1009)
        self.assertEqual(link.counters["protocol_errors"], 2)
        self.assertIn("max_message = 1000 bytes", self.said())

    def test_huge_announcement(self) -> None:
        """An announced 2 GB, or 2^62 bytes, is closed at once and nothing is allocated; 2^63 is a violation."""
        for length, code in ((2 << 30, 1009), (1 << 62, 1009), (1 << 63, 1002)):
            client = self.client(make_link(self.runtime, path=f"/{length}")).open()
            client.send(b"\x82\xff" + length.to_bytes(8, "big") + b"mask")
            self.assertEqual(client.close_code(), code)

    def test_violations(self) -> None:
        """Unmasked, reserved and misplaced frames get 1002, bad text 1007, also when it is cut inside a character over fragments."""
        link = make_link(self.runtime)
        for code, data in (
            (1002, b"\x81\x01a" + b"1234"),
            (1002, client_frame(b"a", 0xC1)),
            (1002, client_frame(b"a", 0x83)),
            (1002, client_frame(b"a", 0x8B)),
            (1002, client_frame(b"a", 0x09)),
            (1002, client_frame(b"a", 0x80)),
            (1002, client_frame(b"a", 0x01) + client_frame(b"a", 0x01)),
            (1002, client_frame(b"x" * 126, 0x89)),
            (1002, client_frame(b"\x03", 0x88)),
            (1002, b"\x81\xfe\x00\x05" + b"mask12345"),
            (1007, client_frame(b"\xff")),
            (1007, client_frame(b"\xe2\x82", 0x01) + client_frame(b"a", 0x80)),
            (1007, client_frame(b"\xe2\x82")),
            (1007, client_frame(b"\x03\xe8\xff", 0x88)),
        ):
            client = self.client(link).open()
            client.send(data)
            self.assertEqual(client.close_code(), code, data)
            self.assertEqual((client.socket.half_closed, client.socket.disconnecting), (True, False), data)
        self.assertEqual(self.heard, [])
        self.assertEqual(self.said().count("closed with 1002"), 5, "the log is limited by rate")


class TrapTests(Setting, SynchronousTestCase):
    def test_1_no_timers_of_autobahn(self) -> None:
        """No timer of Autobahn's is ever started: it would fire early, and by the wall clock."""
        link = make_link(self.runtime, ping_interval=0)
        path_of(link).factory._batched_timer = None
        client = self.client(link).open()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        client.session.close("test")
        self.assertEqual(client.close_code(), 1001)
        client.send_frame(b"\x03\xe9", 0x88)

    def test_2_zombie(self) -> None:
        """A client that sends Close and does not read is cut after the linger time."""
        client = self.client(make_link(self.runtime)).open()
        client.socket.room = 0
        client.send_frame(b"\x03\xe8", 0x88)
        self.assertTrue(client.socket.disconnecting)
        self.clock.advance(self.runtime.linger - 0.1)
        self.assertFalse(client.socket.aborted)
        self.clock.advance(0.2)
        self.assertTrue(client.socket.aborted)

    def test_2_no_answer_to_close(self) -> None:
        """A client that does not answer our Close is cut after the linger time too."""
        client = self.client(make_link(self.runtime)).open()
        client.session.close("test")
        self.clock.advance(self.runtime.linger)
        self.assertTrue(client.socket.aborted)

    def test_4_ping_flood(self) -> None:
        """Who pings without reading gets one pong, the latest, when it reads again."""
        client = self.client(make_link(self.runtime)).open()
        client.socket.room = 0
        client.send_frame(b"first", 0x89)
        written = len(client.socket.value())
        for number in range(1000):
            client.send_frame(b"%d" % number, 0x89)
        self.assertEqual(len(client.socket.value()), written)
        client.socket.drain()
        self.assertEqual(client.frames(), [(0x8A, b"first"), (0x8A, b"999")])

    def test_4_pong_flood(self) -> None:
        """Pongs that nobody asked for cost nothing and are no packets."""
        client = self.client(make_link(self.runtime)).open()
        client.send(client_frame(b"unasked", 0x8A) * 1000)
        self.assertEqual((client.frames(), self.heard), ([], []))

    def test_5_nothing_behind_a_violation(self) -> None:
        """What stands behind a violation is neither parsed nor kept, in the same segment and later."""
        client = self.client(make_link(self.runtime)).open()
        client.send(client_frame(b"a", 0xC1) + client_frame(b"behind"))
        client.send(b"\x89\xff" + (1 << 40).to_bytes(8, "big") + b"mask")
        for _ in range(100):
            client.send(os.urandom(10000))
        self.assertEqual((self.heard, client.protocol.data), ([], b""))
        self.assertEqual(client.close_code(), 1002)
        self.clock.advance(self.runtime.linger)
        self.assertTrue(client.socket.aborted)

    def test_5_nothing_behind_a_limit(self) -> None:
        """Nothing behind a message that is too long is looked at either, not even a Close in the same segment."""
        client = self.client(make_link(self.runtime, max_message=10)).open()
        client.send(client_frame(b"x" * 200) + client_frame(b"\x03\xe8", 0x88))
        self.assertEqual((client.close_code(), client.socket.disconnecting), (1009, False))

    def test_5_nothing_behind_a_close(self) -> None:
        """What a client sends behind its Close is not kept, however much it is."""
        client = self.client(make_link(self.runtime)).open()
        client.send_frame(b"\x03\xe8", 0x88)
        client.send(b"x" * 100_000)
        self.assertEqual((client.protocol.data, client.protocol.failedByMe), (b"", False))

    def test_9_nothing_after_close(self) -> None:
        """Once Close was sent no packet, no ping and no pong follows, whoever sent it first; the packets are counted as dropped."""
        link = make_link(self.runtime)
        for close in (lambda client: client.session.close("test"), lambda client: client.send_frame(b"\x03\xe8", 0x88)):
            client = self.client(link).open()
            close(client)
            written = client.socket.value()
            link.deliver(lines(b"late"))
            client.protocol.ping()
            client.send_frame(b"?", 0x89)
            client.socket.drain()
            self.assertEqual(client.socket.value(), written)
            client.lose()
        self.assertEqual(link.counters["dropped_packets"], 2)

    def test_9_nothing_before_open(self) -> None:
        """A client gets nothing before its handshake is done."""
        link = make_link(self.runtime)
        client = self.client(link)
        link.deliver(lines(b"early"))
        client.open()
        self.assertEqual(client.frames(), [])

    def test_10_empty_fragments(self) -> None:
        """The fragments of a message are counted, empty ones too, and too many get 1008; the next message starts at none."""
        link = make_link(self.runtime, max_message=64)
        client = self.client(link).open()
        most = path_of(link).factory.max_fragments
        for _ in range(2):
            client.send(client_frame(b"", 0x01) + client_frame(b"", 0x00) * (most - 2) + client_frame(b"", 0x80))
        self.assertEqual(self.heard, [b"", b""])
        client.send(client_frame(b"", 0x01) + client_frame(b"", 0x00) * most)
        self.assertEqual(client.close_code(), 1008)

    def test_11_no_deflate(self) -> None:
        """Compression is never agreed on, whatever is offered, and odd offers do not fail the handshake."""
        link = make_link(self.runtime)
        for offer in ("permessage-deflate", "permessage-deflate; server_max_window_bits=8", "permessage-deflate; no_such=1, x-other; a="):
            client = self.client(link).open(sec_websocket_extensions=offer)
            self.assertIsNone(client.protocol._perMessageCompress)

    def test_12_close_codes(self) -> None:
        """1001 is sent when the gateway stops, with the reason, whose length is cut without cutting a character."""
        client = self.client(make_link(self.runtime)).open()
        client.session.close("ö" * 100)
        self.assertEqual(client.frames(), [(0x88, b"\x03\xe9" + ("ö" * 61).encode())])

    def test_13_invalid_close(self) -> None:
        """An invalid Close gets its 1002, and is not overtaken by a reset."""
        link = make_link(self.runtime)
        for payload in (b"\x03\xed", b"\x03\xee", b"\x00\x00", b"\x03\xf7", b"\x0b\xb7", b"\x13\x88"):
            client = self.client(link).open()
            client.send_frame(payload, 0x88)
            self.assertEqual(client.close_code(), 1002, payload)
            self.assertEqual((client.socket.aborted, client.socket.disconnecting, client.socket.half_closed), (False, False, True))


class EndTests(Setting, SynchronousTestCase):
    def test_ended_by_tls(self) -> None:
        """TLS that fails in the middle of a session is counted by its event."""
        link = make_link(self.runtime)
        client = self.client(link).open()
        client.lost, client.socket.producer = True, None  # type: ignore[assignment]
        client.protocol.connectionLost(Failure(TlsFailed("tls_damaged", "sent a record that was damaged on its way")))
        self.assertEqual((link.counters["tls_damaged"], link.sessions), (1, {}))

    def test_peer_closes(self) -> None:
        """A client's Close is answered with 1000, the connection ends, and the session leaves."""
        link = make_link(self.runtime)
        client = self.client(link).open()
        client.send_frame(b"\x03\xe8bye", 0x88)
        self.assertEqual(client.close_code(), 1000)
        self.assertTrue(client.socket.disconnecting)
        client.lose()
        self.assertEqual(link.sessions, {})

    def test_we_close(self) -> None:
        """Our Close waits for its answer, and then the connection ends without a reset."""
        client = self.client(make_link(self.runtime)).open()
        client.session.close("test")
        self.assertFalse(client.socket.disconnecting)
        client.send_frame(b"\x03\xe9", 0x88)
        self.assertEqual((client.socket.disconnecting, client.socket.aborted), (True, False))

    def test_packets_before_close(self) -> None:
        """Whole packets that wait are written before Close."""
        link = make_link(self.runtime)
        client = self.client(link).open()
        client.socket.room = 0
        for text in (b"first", b"second", b"third"):
            link.deliver(lines(text))
        client.session.close("test")
        client.socket.drain()
        self.assertEqual([payload for first, payload in client.frames() if first == TEXT], [b"first", b"second", b"third"])
        self.assertEqual(client.close_code(), 1001)

    def test_paused(self) -> None:
        """While the session is paused nothing is read, and the client is neither pinged nor taken for dead."""
        client = self.client(make_link(self.runtime)).open()
        client.session.pause("token")
        self.assertFalse(client.socket.reading)
        self.clock.pump([1.0] * 100)
        self.assertEqual((client.frames(), client.socket.aborted), ([], False))
        client.session.resume("token")
        self.assertTrue(client.socket.reading)

    def test_silence(self) -> None:
        """A client that does not answer a ping is ended, and its silence told."""
        link = make_link(self.runtime)
        client = self.client(link).open()
        self.clock.pump([1.0] * 60)
        self.assertEqual(client.frames(), [(0x89, b"")])
        self.assertTrue(client.socket.aborted)
        self.assertEqual(link.counters["ping_timeouts"], 1)
        client.lose()
        self.assertIn("ping_timeout", self.said())

    def test_answers(self) -> None:
        """A client that answers pings, or says anything else, stays."""
        client = self.client(make_link(self.runtime)).open()
        for _ in range(100):
            self.clock.advance(1)
            if client.socket.value():
                client.socket.clear()
                client.send_frame(b"", 0x8A)
        self.assertFalse(client.socket.aborted)

    def test_little_is_kept(self) -> None:
        """The head of the request and what Autobahn made of it are gone once the WebSocket is open."""
        client = self.client(make_link(self.runtime)).open()
        kept = vars(client.protocol)
        self.assertFalse([name for name in kept if name.startswith("http_")], kept)

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
        size = 7 + len(behind_close)
        client.send(behind_close[:100])
        client.send(behind_close[100:])
        self.assertEqual((self.heard, link.counters["late_bytes"], session.received_bytes), ([], size, size))


class SlowTests(Setting, SynchronousTestCase):
    def test_slow_reader(self) -> None:
        """A client that does not read fills its outbox to the limit and no further; then it is told 1013 and cut."""
        link = make_link(self.runtime, outbox={"bytes": 1000})
        client = self.client(link).open()
        client.socket.room = 0
        for _ in range(1000):
            link.deliver(lines(b"x" * 98))
        self.assertEqual(client.close_code(), 1013)
        self.assertLess(len(client.socket.value()), 400)
        self.assertEqual(len(outbox(client.session)), 0)
        self.assertEqual(self.runtime.memory.used, 0)
        self.assertEqual((link.counters["slow_disconnects"], link.counters["dropped_packets"]), (1, 999))
        self.clock.advance(self.runtime.linger)
        self.assertTrue(client.socket.aborted)
        self.assertIn("outbox.when_full = disconnect", self.said())

    def test_what_waits(self) -> None:
        """A packet that waits is kept as it came and as the message that it will be, and not cut out besides, however small it is."""
        link = make_link(self.runtime)
        client = self.client(link).open()
        client.socket.room = 0
        link.deliver(lines(b"x"))
        link.deliver(lines(*[b"12.5"] * 1000))
        self.assertEqual(self.runtime.memory.used, OVERHEAD + PLACE + 1000 * (5 + 6))
        client.socket.drain()
        self.assertEqual((client.frames()[1:], self.runtime.memory.used), ([(TEXT, b"12.5")] * 1000, 0))

    def test_drop_oldest(self) -> None:
        """Under another policy the slow client stays, loses what the policy says, and what it gets are whole messages."""
        link = make_link(self.runtime, outbox={"bytes": 350, "when_full": "drop-oldest"})
        client = self.client(link).open()
        client.socket.room = 0
        for number in range(10):
            link.deliver(lines(b"%098d" % number))
        client.socket.drain()
        self.assertEqual([int(payload) for _, payload in client.frames()], [0, 7, 8, 9])


class HalfCloseTests(SynchronousTestCase):
    def test_half_close(self) -> None:
        """TCP is closed in one direction, TLS by its own end."""
        plain, secure = Socket(), Socket()
        half_close(plain, False)
        half_close(secure, True)
        self.assertEqual((plain.half_closed, plain.disconnecting), (True, False))
        self.assertEqual((secure.half_closed, secure.disconnecting), (False, True))
