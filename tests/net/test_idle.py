"""Sessions on which nothing moves."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.links.session import Session
from gateway.net.idle import Idle

from ..building import join, make_link, make_runtime


class IdleTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.link = make_link(make_runtime(), "lan")
        self.sessions: list[Session] = []
        self.ended: list[Session] = []
        self.failed: list[Session] = []

    def test_quiet_and_busy(self) -> None:
        """Who moves is let be; who does not is ended; without sessions no timer runs on."""
        quiet, busy = join(self.link)[0], join(self.link)[0]
        quiet.moved = False
        self.sessions = [quiet, busy]
        idle = Idle(self.clock, 10.0, self.sessions, self.ended.append, self.failed.append)
        idle.start()
        idle.start()
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        busy.moved = True
        self.clock.advance(10)
        self.assertEqual(self.ended, [quiet])
        self.sessions.clear()
        self.clock.advance(10)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_fault(self) -> None:
        """One whose end raises is reported, and the others are ended all the same, now and at the next sweep."""
        bad, good = join(self.link)[0], join(self.link)[0]

        def end(session: Session) -> None:
            if session is bad:
                raise ValueError("no")
            self.ended.append(session)

        self.sessions = [bad, good]
        idle = Idle(self.clock, 10.0, self.sessions, end, self.failed.append)
        bad.moved = good.moved = False
        idle.start()
        self.clock.pump([10.0] * 3)
        self.assertEqual((self.failed, self.ended), ([bad] * 3, [good] * 3))
        idle.stop()

    def test_newcomer(self) -> None:
        """One that came just before a sweep is not idle yet."""
        link = make_link(make_runtime(self.clock), "lan", idle_timeout=10.0)
        join(link)
        self.clock.advance(9.9)
        _, wire = join(link)
        self.clock.advance(0.2)
        self.assertFalse(wire.disconnecting)
        self.clock.advance(20)
        self.assertTrue(wire.disconnecting)

    def test_never(self) -> None:
        """A timeout of 0 looks after nobody, and a stopped one no more."""
        Idle(self.clock, 0.0, self.sessions, self.ended.append, self.failed.append).start()
        idle = Idle(self.clock, 1.0, self.sessions, self.ended.append, self.failed.append)
        idle.start()
        idle.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
