"""Whether anybody has a use for a source."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.bus.demand import Demand


class DemandTests(SynchronousTestCase):
    def test_hearers_and_writers(self) -> None:
        """A source is told how many links hear it or are heard by it, at once and at each change, and no more after it cancelled."""
        demand = Demand()
        counts: list[int] = []
        watch = demand.watch("scale", ["lan"], counts.append)
        reader = demand.want("web", ["scale"])
        writer = demand.want("lan", [])
        demand.want("other", ["gps"])
        reader.cancel()
        writer.cancel()
        watch.cancel()
        demand.want("web", ["scale"])
        self.assertEqual(counts, [0, 1, 2, 1, 0])

    def test_already_wanted(self) -> None:
        """A source that comes later is told of the present demand."""
        demand = Demand()
        demand.want("web", ["scale/#"])
        counts: list[int] = []
        demand.watch("scale", [], counts.append)
        self.assertEqual(counts, [1])
