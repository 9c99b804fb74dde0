"""Faults on the way of a TLS session, at many places of it: between a dialed end and an accepted one, both ours, in memory."""

from __future__ import annotations

from typing import Any

from twisted.internet.error import ConnectionDone, ConnectionLost
from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.net.admission import Admission
from gateway.peer import Peer
from gateway.tls.failures import TlsFailed
from gateway.tls.handshake import client_factory, server_factory
from gateway.tls.options import TlsOptions

from .. import certificates
from ..far_end import PEER, Application, End, Said

REQUEST = b"open valve 7\r\n" * 40
ANSWER = b"valve 7 is open\r\n" * 60


class Accepted(Application):
    """Answers when the whole request is there."""

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        if len(self.data) == len(REQUEST):
            self.transport.write(ANSWER)


class Dialed(Application):
    """Asks, and leaves with the whole answer."""

    def connectionMade(self) -> None:
        self.transport.write(REQUEST)

    def dataReceived(self, data: bytes) -> None:
        super().dataReceived(data)
        if len(self.data) == len(ANSWER):
            self.transport.loseConnection()


class Wire:
    """Carries bytes between two ends; when byte ``place`` of one direction comes by, ``fault`` happens."""

    def __init__(self, ends: tuple[End, End], way: int = 0, place: int = -1, fault: str = "") -> None:
        self.ends = ends
        self.carried = [0, 0]
        self._way, self._place, self._fault = way, place, fault
        self._broken = False

    def run(self) -> None:
        """Until neither end has more to say, or one has ended, or nothing gets through any more."""
        while True:
            moved = [self._carry(way) for way in (0, 1)]
            if self._broken and self._fault == "stall":
                return
            if self._broken or any(end.aborted or end.disconnecting for end in self.ends):
                break
            if not any(moved):
                return
        for way in (0, 1, 0, 1):
            self._carry(way)  # alerts and goodbyes
        self.lose(ConnectionLost() if self._fault == "reset" else ConnectionDone())

    def lose(self, reason: Exception) -> None:
        for end in self.ends:
            if end.protocol is not None:
                end.lose(reason)
                end.protocol = None

    def _carry(self, way: int) -> bool:
        data = self.ends[way].value()
        self.ends[way].clear()
        start, self.carried[way] = self.carried[way], self.carried[way] + len(data)
        offset = self._place - start
        if self._broken or not data:
            return False
        if way == self._way and 0 <= offset < len(data):
            if self._fault == "flip":
                data = data[:offset] + bytes([data[offset] ^ 0x10]) + data[offset + 1 :]
            elif self._fault == "skip":
                data = data[:offset] + data[offset + 1 :]
            elif self._fault == "twice":
                data = data[: offset + 1] + data[offset:]
            else:
                data = data[:offset]
                self._broken = True
        if data:
            self.ends[1 - way].protocol.dataReceived(data)
        return True


class FaultTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.admission = Admission()
        self.said, self.said_by_client = Said("lan"), Said("up")
        self.accepted: list[Application] = []
        self.dialed: list[Application] = []
        self.failures: list[Any] = []
        certificate, key = certificates.site()
        common: dict[str, Any] = {"reactor": self.clock}
        self.server = server_factory(
            self.accept,
            TlsOptions(certificate=certificate, private_key=key, fallback="any"),
            report=self.said,
            admission=self.admission,
            **common,
        )
        self.client = client_factory(
            self.dial,
            TlsOptions(ca=certificates.ca_file()),
            "localhost",
            report=self.said_by_client,
            failed=lambda reason: self.failures.append(reason.value),
            **common,
        )

    def accept(self, address: Any, security: Peer) -> Any:
        self.assertTrue(security.secure)
        self.accepted.append(Accepted())
        return self.accepted[-1]

    def dial(self, address: Any, security: Peer) -> Any:
        self.dialed.append(Dialed())
        return self.dialed[-1]

    def session(self, *fault: Any) -> Wire:
        ends = End(self.client.buildProtocol(PEER)), End(self.server.buildProtocol(PEER))
        wire = Wire(ends, *fault)
        wire.run()
        self.clock.advance(10)
        wire.lose(ConnectionLost())
        return wire

    def assert_whole(self) -> None:
        """A session without a fault works."""
        self.accepted.clear()
        self.dialed.clear()
        self.session()
        self.assertEqual((self.accepted[0].data, self.dialed[0].data), (REQUEST, ANSWER))
        self.assertIsInstance(self.dialed[0].reason, ConnectionDone)

    def sweep(self, fault: str, step: int) -> None:
        lengths = self.session().carried
        self.assert_whole()
        for way in (0, 1):
            for place in (*range(12), *range(12, lengths[way], step)):
                if way == 0 and place < 6 and fault not in ("end", "reset", "stall"):
                    continue  # the wire has turned a ClientHello into plain text, which this port allows
                self.accepted.clear()
                self.dialed.clear()
                self.failures.clear()
                self.session(way, place, fault)
                where = f"{fault} at byte {place} of way {way}"
                for applications, sent in ((self.accepted, REQUEST), (self.dialed, ANSWER)):
                    for application in applications:
                        self.assertTrue(sent.startswith(application.data), where)
                        self.assertIsNotNone(application.reason, where)
                self.assertEqual(len(self.dialed) + len(self.failures), 1, where)
                self.assertTrue(all(isinstance(error, TlsFailed) for error in self.failures), where)
                left = len(self.admission), self.clock.getDelayedCalls(), self.server.pending  # type: ignore[attr-defined]
                self.assertEqual(left, (0, [], set()), where)
        self.assert_whole()

    def test_damaged(self) -> None:
        """With a bit flipped anywhere, no application ever sees a byte that was not sent; all ends, and the next session works."""
        self.sweep("flip", 5)

    def test_out_of_step(self) -> None:
        """The same with a byte lost or doubled."""
        self.sweep("skip", 11)
        self.sweep("twice", 11)

    def test_cut(self) -> None:
        """The same with the connection closed, reset, or silent for ever from any byte on."""
        for fault in ("end", "reset", "stall"):
            self.sweep(fault, 11)
