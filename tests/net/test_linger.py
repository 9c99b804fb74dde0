from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.net.linger import linger_close


class Recorder:
    def __init__(self) -> None:
        self.calls: list[str] = []

    def loseConnection(self) -> None:
        self.calls.append("lose")

    def abortConnection(self) -> None:
        self.calls.append("abort")


class LingerTests(SynchronousTestCase):
    def test_a_peer_that_reads_nothing_is_cut(self) -> None:
        """A regular close comes first, and the connection is cut when it has not ended in time."""
        clock, transport = Clock(), Recorder()
        linger_close(transport, clock, 5)
        clock.advance(4.9)
        self.assertEqual(transport.calls, ["lose"])
        clock.advance(0.2)
        self.assertEqual(transport.calls, ["lose", "abort"])

    def test_cancelled_when_lost(self) -> None:
        """Whoever learns that the connection has ended cancels the cut, and nothing stays behind."""
        clock, transport = Clock(), Recorder()
        linger_close(transport, clock, 5).cancel()
        self.assertEqual((transport.calls, clock.getDelayedCalls()), (["lose"], []))

    def test_another_end(self) -> None:
        """Another way to end takes the place of the regular close, and is followed by the cut all the same."""
        clock, transport = Clock(), Recorder()
        linger_close(transport, clock, 5, lambda: transport.calls.append("half close"))
        clock.advance(5)
        self.assertEqual(transport.calls, ["half close", "abort"])
