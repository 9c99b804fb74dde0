"""What all links of one program share."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from ..building import make_runtime


class Thing:
    """Something to be looked after, which notes when."""

    def __init__(self, broken: bool = False) -> None:
        self.looks: list[float] = []
        self.broken = broken

    def check(self, now: float) -> bool:
        self.looks.append(now)
        if self.broken:
            raise ValueError("no")
        return True


class RuntimeTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.runtime = make_runtime(self.clock)
        self.lines: list[str] = self.runtime.lines  # type: ignore[attr-defined]

    def test_looks(self) -> None:
        """What is to be looked after is looked at every second."""
        self.runtime.watch.add(thing := Thing())
        self.clock.pump([0.5] * 6)
        self.assertEqual(thing.looks, [1.0, 2.0, 3.0])

    def test_look_fails(self) -> None:
        """One that cannot be looked after is reported, and the others are looked at all the same."""
        for thing in (bad := Thing(broken=True), good := Thing()):
            self.runtime.watch.add(thing)
        self.clock.pump([1.0] * 2)
        self.assertEqual((bad.looks, good.looks), ([1.0], [1.0, 2.0]))
        self.assertIn("a paused session could not be looked after", self.lines)

    def test_stop(self) -> None:
        """A stop leaves no timer, and what was held back goes into the log."""
        self.runtime.watch.add(Thing())
        for number in range(10):
            self.runtime.notices.say("key", f"line {number}")
        self.runtime.stop()
        self.assertEqual((self.clock.getDelayedCalls(), self.lines[-1]), ([], "line 9 (and 4 more like it)"))

    def test_what_is_shared(self) -> None:
        """The TLS sections are those that were given; what links of one transport share begins with nothing."""
        secured = make_runtime(tls={"site": "options"})
        self.assertEqual((secured.tls, self.runtime.tls), ({"site": "options"}, {}))
        self.assertEqual(secured.shared, {})
