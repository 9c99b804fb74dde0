"""The port whose output is its own input."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.ports.loopport import LoopPort

from .test_ttyport import Producer, Recording


class LoopPortTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.protocol = Recording()
        self.port = LoopPort(self.protocol, self.clock)
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))

    def test_comes_back(self) -> None:
        """What is written comes back in a later turn, together, and never from within the write."""
        self.port.write(b"a")
        self.port.write(b"b")
        self.assertEqual((self.protocol.reads, self.port.pending), ([], 2))
        self.clock.advance(0)
        self.assertEqual((self.protocol.reads, self.port.pending), ([b"ab"], 0))

    def test_paused(self) -> None:
        """While it is paused nothing comes, and its producer is paused at 64 kB; nothing is lost."""
        producer = Producer()
        self.port.registerProducer(producer, True)
        self.port.pauseProducing()
        for _ in range(5):
            self.port.write(b"x" * 16384)
        self.clock.advance(1)
        self.assertEqual((self.protocol.reads, producer.calls), ([], ["pause"]))
        self.port.resumeProducing()
        self.clock.advance(0)
        self.assertEqual((self.protocol.reads, producer.calls), ([b"x" * 81920], ["pause", "resume"]))

    def test_close(self) -> None:
        """A close lets what was written come back first; later writes are ignored."""
        self.port.write(b"last")
        self.port.loseConnection()
        self.port.write(b"too late")
        self.clock.advance(0)
        self.assertEqual((self.protocol.reads, self.protocol.lost), ([b"last"], ["closed"]))
        self.port.write(b"much too late")

    def test_close_empty(self) -> None:
        """A close with nothing waiting ends the port in a later turn."""
        self.port.stopProducing()
        self.assertEqual(self.protocol.lost, [])
        self.clock.advance(0)
        self.assertEqual(self.protocol.lost, ["closed"])

    def test_abort(self) -> None:
        """An abort ends the port at once, and once, whatever waits."""
        self.port.write(b"x")
        self.port.abortConnection()
        self.port.abortConnection()
        self.assertEqual((self.protocol.reads, self.protocol.lost), ([], ["closed"]))

    def test_answers_itself(self) -> None:
        """What a reader writes in answer comes in the next turn: an endless loop is no recursion."""

        def echo(data: bytes) -> None:
            self.protocol.reads.append(data)
            if len(self.protocol.reads) < 2000:
                self.port.write(data)

        self.protocol.dataReceived = echo  # type: ignore[method-assign]
        self.port.write(b"x")
        self.clock.advance(0)
        self.assertEqual(len(self.protocol.reads), 2000)
