"""The transport of a capture: when bursts are sent, pauses, lag, the end."""

from __future__ import annotations

from collections.abc import Iterator

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.captures.pace import Burst
from gateway.captures.player import Player
from gateway.links.session import Session
from gateway.links.state import State
from gateway.packet import Batch
from gateway.peer import Peer

from ..building import make_link, make_runtime


class PlayerTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.runtime = make_runtime(self.clock)
        self.link = make_link(self.runtime, "gps")
        self.heard: list[tuple[float, bytes]] = []
        self.runtime.bus.subscribe(("gps",), self.hear, "test")
        self.ends: list[str] = []
        self.unwritable = 0
        self.addCleanup(lambda: self.assertEqual(self.clock.getDelayedCalls(), []))
        self.addCleanup(self.runtime.stop)

    def hear(self, batch: Batch) -> None:
        self.heard.append((self.clock.seconds(), b"|".join(batch.payloads)))

    def play(self, *passes: list[tuple[float, bytes]]) -> Session:
        session = self.link.new_session(Peer(False, name="log"))
        bursts: Iterator[Iterator[Burst]] = (iter([Burst(*burst) for burst in each]) for each in passes)
        self.player = Player(session, bursts, self.clock, lambda: self.ends.append("end"), self.refuse)
        self.addCleanup(self.player.abortConnection)
        return session

    def refuse(self) -> None:
        self.unwritable += 1

    def test_in_time(self) -> None:
        """Bursts are sent when they are due; then the session ends, and its last packet is whole."""
        session = self.play([(0.0, b"a\n"), (1.5, b"b\n"), (1.5, b"c")])
        self.assertEqual(self.heard, [])
        self.clock.advance(0)
        self.assertEqual(self.heard, [(0.0, b"a")])
        self.clock.advance(1.4)
        self.assertEqual(len(self.heard), 1)
        self.clock.advance(0.1)
        self.assertEqual(self.heard[1:], [(1.5, b"b"), (1.5, b"c")])
        self.assertEqual((self.ends, session.state), (["end"], State.ENDED))

    def test_paused(self) -> None:
        """While it is paused nothing is sent; afterwards the rest follows at its pace, not in a rush."""
        session = self.play([(0.0, b"a\n"), (1.0, b"b\n"), (2.0, b"c\n")])
        self.clock.advance(0)
        session.pause("slow reader")
        self.clock.advance(100)
        self.assertEqual(len(self.heard), 1)
        session.resume("slow reader")
        self.clock.pump([0, 1, 1])
        self.assertEqual(self.heard[1:], [(101.0, b"b"), (102.0, b"c")])

    def test_paused_from_within(self) -> None:
        """A burst that fills its reader is the last one until that reader has room."""
        session = self.play([(0.0, b"a\n"), (0.0, b"b\n")])
        self.runtime.bus.subscribe(("gps",), lambda batch: session.pause("full"), "full")
        self.clock.advance(5)
        self.assertEqual(self.heard, [(5.0, b"a")])

    def test_paused_and_resumed_from_within(self) -> None:
        """A reader that pauses and resumes within one burst starts no second play beside the first."""
        session = self.play([(float(number), b"%d\n" % number) for number in range(4)])

        def hear(batch: Batch) -> None:
            session.pause("full")
            session.resume("full")

        self.runtime.bus.subscribe(("gps",), hear, "full")
        for _ in range(10):
            self.clock.advance(1)
            self.assertLessEqual(len(self.clock.getDelayedCalls()), 2)  # the play, and the look after the pause
        self.assertEqual(([data for _, data in self.heard], self.ends), ([b"0", b"1", b"2", b"3"], ["end"]))

    def test_resumed_after_its_end(self) -> None:
        """A resume changes nothing when the player has ended or is about to end."""
        session = self.play([(0.0, b"a\n")])
        self.player.pauseProducing()
        self.player.loseConnection()
        self.player.resumeProducing()
        self.player.abortConnection()
        left = [call for call in self.clock.getDelayedCalls() if call.func.__self__ is self.player]  # type: ignore[attr-defined]
        self.assertEqual(left, [])
        self.player.resumeProducing()
        self.clock.advance(1)
        self.assertEqual((self.heard, session.state), ([], State.ENDED))

    def test_late(self) -> None:
        """After a long suspension the replay goes on from where it was."""
        self.play([(0.0, b"a\n"), (1.0, b"b\n"), (2.0, b"c\n")])
        self.clock.advance(0)
        self.clock.advance(3600)
        self.assertEqual(len(self.heard), 2)
        self.clock.advance(1)
        self.assertEqual(self.heard[2], (3601.0, b"c"))

    def test_again(self) -> None:
        """When the capture begins again, its last packet is whole, and not joined to the first."""
        session = self.play([(0.0, b"a\nb")], [(0.0, b"a\nb")])
        self.clock.advance(0)
        self.assertEqual([payload for _, payload in self.heard], [b"a", b"b", b"a", b"b"])
        self.assertEqual(session.state, State.ENDED)

    def test_written_to(self) -> None:
        """What is written to it is counted, and reported once."""
        self.play([(0.0, b"a\n"), (9.0, b"b\n")])
        self.player.write(b"hello")
        self.player.write(b"again")
        self.assertEqual((self.player.discarded, self.unwritable), (10, 1))

    def test_closed(self) -> None:
        """When it is closed in the middle it ends at once, and a part of a packet is no packet."""
        session = self.play([(0.0, b"a\nb"), (9.0, b"c\n")])
        self.clock.advance(0)
        session.close("no more")
        self.clock.advance(0)
        self.assertEqual(([payload for _, payload in self.heard], session.state, self.ends), ([b"a"], State.ENDED, []))

    def test_read_error(self) -> None:
        """A disk that fails ends the session with the reason."""

        def bursts() -> Iterator[Burst]:
            yield Burst(0.0, b"a\n")
            raise OSError(5, "Input/output error")

        self.player = Player(self.link.new_session(Peer(False, name="log")), iter([bursts()]), self.clock, lambda: None, lambda: None)
        self.clock.advance(0)
        self.assertIn("cannot be read: Input/output error", "\n".join(self.runtime.lines))  # type: ignore[attr-defined]
