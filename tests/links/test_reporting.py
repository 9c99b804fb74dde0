"""What happened to a peer that has no session."""

from __future__ import annotations

from collections import Counter

from twisted.trial.unittest import SynchronousTestCase

from gateway.links.reporting import reporter

from ..building import make_runtime


class ReportTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.runtime = make_runtime()
        self.addCleanup(self.runtime.stop)
        self.counters: Counter[str] = Counter()
        self.report = reporter(self.runtime.notices, "lan", self.counters)

    def lines(self) -> list[str]:
        return self.runtime.lines  # type: ignore[attr-defined,no-any-return]

    def test_counted_and_logged(self) -> None:
        """Each event is counted; its line names link and peer, and a flood of them is no flood of lines."""
        for _ in range(100):
            self.report("not_tls", "not_tls: speaks HTTP", peer="192.0.2.7:1")
        self.assertEqual((self.counters, set(self.lines())), ({"not_tls": 100}, {"[lan] 192.0.2.7:1: not_tls: speaks HTTP"}))
        self.assertLess(len(self.lines()), 10)

    def test_failure(self) -> None:
        """A fault of ours is counted, and logged with link and peer; its kind is named when it comes again."""
        for _ in range(2):
            try:
                _ = 1 / 0
            except ZeroDivisionError:
                self.report("failures", "no session can be made", peer="192.0.2.7:1", level="failure")
        line = "[lan] 192.0.2.7:1: no session can be made"
        self.assertEqual((self.counters, self.lines()), ({"failures": 2}, [line, f"{line}: ZeroDivisionError: division by zero"]))

    def test_times_and_level(self) -> None:
        """An event may have happened several times, to nobody in particular, and without a line."""
        self.report("dropped", "7 packets dropped", times=7, level="info")
        self.report("dropped", "nothing to read", times=2, level="")
        self.assertEqual((self.counters, self.lines()), ({"dropped": 9}, ["[lan] 7 packets dropped"]))
