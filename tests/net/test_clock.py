"""The clocks of the machine."""

from __future__ import annotations

import time

from twisted.trial.unittest import SynchronousTestCase

from gateway.net import clock


class ClockTests(SynchronousTestCase):
    def test_clocks(self) -> None:
        """Timers follow the clock that only goes forward, in seconds; stamps the time of day, in ns."""
        before = time.monotonic(), time.time_ns()
        now = clock.monotonic(), clock.wall()
        after = time.monotonic(), time.time_ns()
        self.assertTrue(before[1] // 10**9 <= clock.utc().timestamp() <= after[1] // 10**9 + 1)
        for earlier, at, later in zip(before, now, after, strict=True):
            self.assertTrue(earlier <= at <= later)
