"""Log lines that a peer can cause."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.logger import Logger
from twisted.trial.unittest import SynchronousTestCase

from gateway.net.notices import KEYS, Notices


class NoticesTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.lines: list[str] = []
        log = Logger(namespace="test", observer=lambda event: self.lines.append(event["text"]))
        self.notices = Notices(self.clock, log)

    def test_flood(self) -> None:
        """Of a flood the first five are said at once, the rest in sums, and all are counted."""
        for number in range(100_000):
            self.notices.say("hello", f"bad hello {number}")
        self.assertEqual(len(self.lines), 5)
        self.clock.advance(10)
        self.assertEqual(self.lines[5:], ["bad hello 99999 (and 99994 more like it)"])
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_keys_apart(self) -> None:
        """A flood under one key silences no other."""
        for _ in range(100):
            self.notices.say("a", "a")
        self.notices.say("b", "b")
        self.assertEqual(self.lines[-1], "b")

    def test_tokens_return(self) -> None:
        """After a while a line is said at once again."""
        for _ in range(5):
            self.notices.say("a", "a")
        self.clock.advance(10)
        self.notices.say("a", "late")
        self.assertEqual(self.lines[-1], "late")

    def test_bounded_keys(self) -> None:
        """At most a thousand keys are remembered, and what a forgotten one held back is said."""
        for _ in range(6):
            self.notices.say("first", "first")
        for number in range(KEYS):
            self.notices.say(f"key {number}", "x")
        self.assertEqual(self.lines.count("first"), 6)
        self.assertLessEqual(len(self.notices._buckets), KEYS)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stop(self) -> None:
        """At the end what was held back is said, and no timer is left."""
        for _ in range(7):
            self.notices.say("a", "a")
        self.notices.stop()
        self.assertEqual(self.lines[-1], "a (and 1 more like it)")
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_failures(self) -> None:
        """A fault of ours is traced once for each place and kind; after that it is a line, and no more of them than of any other."""
        for number in range(1000):
            for place in ("a", "b"):
                try:
                    int("x") if number % 2 else {}["x"]
                except (ValueError, KeyError):
                    self.notices.failed(place, f"[{place}] failed")
        self.assertEqual(self.lines.count("[a] failed"), 2)
        self.assertEqual(self.lines.count("[b] failed"), 2)
        self.assertEqual(len(self.lines), 4 + 2 * 2 * 5)
        self.assertIn("[a] failed: KeyError: 'x'", self.lines)

    def test_braces(self) -> None:
        """Text from a peer is never read as a format."""
        self.notices.say("a", "{secret} {0}")
        self.assertEqual(self.lines, ["{secret} {0}"])
