"""Keeping one peer connected."""

from __future__ import annotations

from twisted.internet.defer import Deferred, fail, succeed
from twisted.internet.task import Clock
from twisted.logger import Logger
from twisted.trial.unittest import SynchronousTestCase

from gateway.net.keepers import Backoff, Keeper, how_long


class BackoffTests(SynchronousTestCase):
    def test_grows_to_the_longest(self) -> None:
        """Delays grow from the first to the longest, with a quarter of jitter to either side."""
        delays = Backoff(0.5, 30.0, jitter=lambda: 0.5)
        self.assertEqual([round(delays.delay(), 2) for _ in range(3)], [0.5, 0.8, 1.28])
        for _ in range(20):
            last = delays.delay()
        self.assertEqual(last, 30.0)
        self.assertEqual(Backoff(1.0, jitter=lambda: 0.0).delay(), 0.75)
        self.assertEqual(Backoff(1.0, jitter=lambda: 1.0).delay(), 1.25)


class KeeperTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000)
        self.trials: list[Deferred[None]] = []
        self.waits: list[bool] = []
        self.lines: list[str] = []
        log = Logger(namespace="test", observer=lambda event: self.lines.append(event["log_format"].format(**event)))
        self.keeper = Keeper("[gauge] /dev/x", self.attempt, self.clock, log, Backoff(1.0, jitter=lambda: 0.5), self.waits.append)

    def attempt(self) -> Deferred[None]:
        self.trials.append(Deferred())
        return self.trials[-1]

    def fail(self, text: str = "no such file") -> None:  # type: ignore[override]
        self.trials[-1].errback(OSError(text))

    def test_tries_again(self) -> None:
        """A failed attempt is followed by another after the delay; one log line says so, one more that it is back."""
        self.keeper.start()
        self.fail()
        self.assertEqual((self.keeper.state, len(self.trials)), ("waiting", 1))
        self.clock.advance(1.0)
        self.fail()
        self.clock.advance(1.6)
        self.trials[-1].callback(None)
        self.assertEqual(self.keeper.state, "connected")
        self.assertEqual(
            self.lines, ["[gauge] /dev/x: no such file; it is tried again until it is there", "[gauge] /dev/x: back after 3 s"]
        )
        self.assertEqual(self.waits, [True, False, True, False])

    def test_wake(self) -> None:
        """A sign of the peer ends the wait at once."""
        self.keeper.start()
        self.fail()
        self.keeper.wake()
        self.assertEqual((self.keeper.state, len(self.trials)), ("trying", 2))
        self.keeper.wake()
        self.assertEqual(len(self.trials), 2)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_lost(self) -> None:
        """A peer that is lost is tried again; after a steady time the delays begin anew."""
        self.keeper.start()
        self.fail()
        self.clock.advance(1.0)
        self.trials[-1].callback(None)
        self.clock.advance(60)
        self.keeper.lost("unplugged")
        self.clock.advance(1.0)
        self.assertEqual(len(self.trials), 3)

    def test_lost_before_it_was_there(self) -> None:
        """A peer that goes before the attempt could say that it was there is tried again, and what the attempt says then is nothing."""
        for late in (True, False):
            self.keeper.start()
            trial = self.trials[-1]
            self.keeper.lost("closed by the peer")
            self.assertEqual(self.keeper.state, "waiting")
            if late:
                self.assertTrue(trial.called)  # it was cancelled
            self.clock.advance(2.0)
            self.assertEqual((self.keeper.state, trial is self.trials[-1]), ("trying", False))
            self.keeper.stop()

    def test_lost_within_the_attempt(self) -> None:
        """The same where that happens before the attempt has even returned."""
        for end in (succeed(None), fail(OSError("gone"))):

            def attempt(end: Deferred[None] = end) -> Deferred[None]:
                self.keeper.lost("unplugged")
                return end

            self.keeper._attempt = attempt
            self.keeper.start()
            self.assertEqual((self.keeper.state, len(self.clock.getDelayedCalls())), ("waiting", 1))
            self.keeper.stop()
            self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_flapping(self) -> None:
        """One that leaves as soon as it is connected is tried ever more rarely."""
        self.keeper.start()
        for _ in range(50):
            self.trials[-1].callback(None)
            self.keeper.lost("closed at once")
            self.clock.advance(40)
        self.trials[-1].callback(None)
        self.keeper.lost("closed at once")
        self.clock.advance(29)
        self.assertEqual(self.keeper.state, "waiting")

    def test_reminder(self) -> None:
        """A lasting absence is said once, and again each hour; a new reason is said when it comes."""
        self.keeper.start()
        for second in range(3900):
            if self.keeper.state == "trying":
                self.fail("busy" if second > 100 else "no such file")
            self.clock.advance(1)
        self.assertEqual(
            self.lines,
            [
                "[gauge] /dev/x: no such file; it is tried again until it is there",
                "[gauge] /dev/x: still absent, now because: busy",
                "[gauge] /dev/x: absent for 1 h, last error: busy",
            ],
        )

    def test_steady_begins_anew(self) -> None:
        """Only who stayed for a while is tried soon again: the delays grow over connections that did not last."""
        self.keeper.start()
        for _ in range(8):
            self.trials[-1].callback(None)
            self.keeper.lost("closed at once")
            self.clock.advance(100)
        self.trials[-1].callback(None)
        self.clock.advance(60)
        self.keeper.lost("closed")
        self.clock.advance(1.0)
        self.assertEqual(self.keeper.state, "trying")

    def test_new_reason_is_not_said_at_once(self) -> None:
        """A reason that changes from try to try is no flood: a new one is said when the last is ten seconds old."""
        self.keeper.start()
        self.fail("one")
        self.clock.advance(1.0)
        self.fail("two")
        self.assertEqual(len(self.lines), 1)
        self.clock.advance(30)
        self.fail("three")
        self.assertEqual(len(self.lines), 2)

    def test_stop_everywhere(self) -> None:
        """Stopping leaves no timer and no attempt, in each state, and it can start again."""
        self.keeper.stop()
        self.keeper.start()
        cancelled = self.trials[-1]
        self.keeper.stop()
        self.assertTrue(cancelled.called)
        self.keeper.start()
        self.fail()
        self.keeper.stop()
        self.assertEqual((self.keeper.state, self.clock.getDelayedCalls()), ("stopped", []))
        self.keeper.start()
        self.trials[-1].callback(None)
        self.keeper.stop()
        self.keeper.lost("closed")
        self.assertEqual((self.keeper.state, self.clock.getDelayedCalls()), ("stopped", []))

    def test_attempt_raises(self) -> None:
        """An attempt that raises is a failed attempt."""

        def raising() -> Deferred[None]:
            raise OSError("bad name")

        keeper = Keeper("x", raising, self.clock, Logger(observer=lambda event: None))
        keeper.start()
        self.assertEqual(keeper.state, "waiting")
        keeper.stop()


class HowLongTests(SynchronousTestCase):
    def test_units(self) -> None:
        """The largest unit that fits."""
        self.assertEqual([how_long(n) for n in (40, 120, 7200, 200000)], ["40 s", "2 min", "2 h", "2 d"])
