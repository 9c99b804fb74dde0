from __future__ import annotations

import os
import ssl

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.protocol import Factory
from twisted.internet.task import Clock
from twisted.protocols.tls import TLSMemoryBIOFactory
from twisted.trial.unittest import SynchronousTestCase

from gateway.tls.contexts import server_context
from gateway.tls.failures import TlsFailed
from gateway.tls.opening import Connections
from gateway.tls.options import TlsOptions
from gateway.tls.transport import MAX_ANSWERS, TlsTransport

from .. import certificates
from ..far_end import Application, End, FarEnd, client_side


class CountingEnd(End):
    writes = 0
    pending = 0

    def write(self, data: bytes) -> None:
        self.writes += 1
        super().write(data)


class TransportTests(SynchronousTestCase):
    def setUp(self) -> None:
        certificate, key = certificates.site()
        context = server_context(TlsOptions(certificate=certificate, private_key=key))
        factory = TLSMemoryBIOFactory(Connections(context), False, Factory(), Clock())
        self.application = Application()
        self.tls = TlsTransport(factory, self.application)
        self.end = CountingEnd(self.tls)
        self.far = FarEnd(client_side(), self.end)

    def test_a_write_is_one_write(self) -> None:
        """However long a write is, it arrives whole and in order, and is one write to the transport below, at once."""
        self.far.talk()
        for size in (0, 1, 16384, 16385, 100_000, 1_000_000):
            self.end.writes = 0
            self.far.data = b""
            data = os.urandom(size)
            self.tls.write(data)
            self.assertEqual(self.end.writes, 1 if size else 0)
            self.far.talk()
            self.assertEqual(self.far.data, data)

    def test_writes_before_the_handshake_wait(self) -> None:
        """What is written too early, short or long, arrives in order when the handshake is done."""
        first, second = os.urandom(50_000), os.urandom(10)
        self.tls.write(first)
        self.tls.write(second)
        self.far.talk()
        self.assertEqual(self.far.data, first + second)

    def test_input_of_any_size(self) -> None:
        """Input comes out as it went in, whole or byte by byte, and large reads as well."""
        for step in (1, 1000, 1 << 20):
            self.setUp()
            self.far.talk(step)
            data = os.urandom(2_000 if step == 1 else 300_000)
            self.far.write(data)
            self.far.talk(step)
            self.assertEqual(self.application.data, data)

    def test_a_damaged_record(self) -> None:
        """A flipped bit ends the connection with a reason in words, and no byte of it is delivered."""
        self.far.talk()
        self.far.write(b"open the valve")
        sent = bytearray(self.far._outgoing.read())
        sent[-3] ^= 1
        self.tls.dataReceived(bytes(sent))
        self.assertTrue(self.end.disconnecting)
        self.end.lose()
        self.assertEqual(self.application.data, b"")
        self.assertIsInstance(self.application.reason, TlsFailed)
        self.assertEqual(self.application.reason.event, "tls_damaged")

    def test_an_end_beside_a_queue(self) -> None:
        """When TLS ends while the transport below is full, nobody is resumed in place of the end."""
        self.far.talk()
        self.tls.registerProducer(Application(), True)
        self.assertRaises(ssl.SSLWantReadError, self.far.tls.unwrap)
        self.tls.dataReceived(self.far._outgoing.read())
        self.assertTrue(self.end.disconnecting)
        self.assertIsNone(self.end.producer)

    def test_truncation_is_not_a_clean_end(self) -> None:
        """An end without a TLS goodbye is a loss; one with it is clean."""
        self.far.talk()
        self.end.lose()
        self.assertIsInstance(self.application.reason, ConnectionLost)
        self.setUp()
        self.far.talk()
        self.assertRaises(ssl.SSLWantReadError, self.far.tls.unwrap)
        self.far.talk()
        self.end.lose()
        self.assertIsInstance(self.application.reason, ConnectionDone)

    def test_after_the_end(self) -> None:
        """Cutting or writing to a connection that has ended does nothing."""
        self.far.talk()
        self.end.lose()
        self.end.clear()
        self.tls.write(b"x" * 100_000)
        self.tls.abortConnection()
        self.tls.loseConnection()
        self.assertEqual((self.end.value(), self.end.aborted), (b"", False))

    def hear(self, queued: int) -> None:
        """The peer sends a byte, and then so many bytes wait for it."""
        self.end.pending = queued
        self.far.write(b"x")
        self.far.talk()

    def test_answers_unread(self) -> None:
        """A peer that makes TLS answer and does not read is cut at a bound, with a reason; what the application wrote is not counted."""
        self.far.talk()
        self.tls.write(b"y")
        self.hear(1_000_000)
        self.hear(1_000_000 + MAX_ANSWERS)
        self.assertFalse(self.end.aborted)
        self.hear(0)
        self.hear(MAX_ANSWERS)
        self.assertFalse(self.end.aborted)
        self.hear(MAX_ANSWERS + 1)
        self.assertTrue(self.end.aborted)
        self.end.lose()
        self.assertEqual(self.application.reason.event, "tls_answers_unread")

    def test_nothing_after_an_abort(self) -> None:
        """An application that cuts the connection gets nothing more of what had been read already."""
        self.far.talk()
        tls = self.tls
        taken: list[bytes] = []

        def cut(data: bytes) -> None:
            taken.append(data)
            tls.abortConnection()

        self.application.dataReceived = cut  # type: ignore[method-assign]
        self.far.write(b"x" * 200_000)
        self.far.talk()
        self.assertEqual((len(taken), self.end.aborted), (1, True))
