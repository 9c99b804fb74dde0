"""A link with one far end: kept, and only while it is used."""

from __future__ import annotations

from collections.abc import Callable

from twisted.trial.unittest import SynchronousTestCase

from gateway.links.connector import Connector
from gateway.links.link import Link
from gateway.links.session import Session
from gateway.links.stream import stream_wires

from ..building import Dial, LinkCase, command, deliver, gone, join, keeper, make_link, make_plan, make_runtime


class Noting(Dial):
    """A far end that notes what it is told, and whose end can fail."""

    def __init__(self) -> None:
        self.told: list[str] = []
        self.wake: Callable[[], None] | None = None
        self.fails = False

    def look_out(self, wake: Callable[[], None] | None) -> None:
        self.wake = wake

    def opened(self, link: Link, session: Session) -> None:
        self.told.append(f"opened {session.id}")

    def ended(self, session: Session) -> None:
        self.told.append(f"ended {session.id}")
        if self.fails:
            raise ValueError("no")


class KeptTests(LinkCase):
    def test_begin_and_end(self) -> None:
        """Both ends of a session are told to whoever opened it, and counted; the log has them from whoever keeps the far end."""
        device = make_link(self.runtime, "dev", dial=(dial := Noting()))
        session, _ = join(device)
        session.lost(gone("unplugged"))
        self.assertEqual(dial.told, ["opened dev#1", "ended dev#1"])
        self.assertEqual((device.counters["connected"], device.counters["disconnected"]), (1, 1))
        self.assertNotIn("connected", self.said())

    def test_end_that_fails(self) -> None:
        """A fault of ours while a far end is closed is reported, and the far end is tried again all the same."""
        device = make_link(self.runtime, "dev", dial=(dial := Noting()))
        dial.fails = True
        session, _ = join(device)
        session.lost(gone("unplugged"))
        self.assertEqual((device.counters["failures"], keeper(device).state), (1, "waiting"))
        self.assertIn("failed while it was closed", self.said())

    def test_look_out(self) -> None:
        """While it waits it is woken by a sign of the far end's return, and looks out for none afterwards."""
        device = make_link(self.runtime, "dev", dial=(dial := Noting()))
        dial.trial.errback(ValueError("away"))
        assert dial.wake is not None
        dial.wake()
        self.assertEqual((keeper(device).state, dial.wake), ("trying", None))

    def test_does_not_listen(self) -> None:
        """Nobody comes to it: the program starts it before all that listen, and needs no files for its clients."""
        self.assertFalse(self.device().how.listens)

    def test_kept(self) -> None:
        """A session that ends is followed by another attempt, and a stopped link makes none."""
        device = self.device()
        self.dial.trial.callback(None)
        session, _ = join(device)
        session.lost(gone("unplugged: Input/output error"))
        first = self.dial.trial
        self.clock.advance(2)
        self.assertIsNot(self.dial.trial, first)
        device.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertIn("[dev] /dev/x: unplugged: Input/output error; it is tried again until it is there", self.said())

    def test_stop(self) -> None:
        """A stopped link keeps nobody: its session ends, and no attempt follows."""
        device = self.device()
        self.dial.trial.callback(None)
        session, wire = join(device)
        device.stop()
        self.assertTrue(wire.disconnecting)
        session.lost(gone("closed"))
        self.assertEqual((keeper(device).state, self.clock.getDelayedCalls()), ("stopped", []))

    def test_held_when_the_far_end_closes(self) -> None:
        """A server that closes regularly has not been left by us: what waits for it is held for its return, and the close is not."""
        device = self.device(when_absent="hold")
        self.dial.trial.callback(None)
        session, wire = join(device)
        wire.room = 1
        for text in (b"a", b"b"):
            deliver(session, command(text, ""), text + b"\n")
        session.input_ended()
        self.clock.advance(2.5)
        self.assertTrue(wire.aborted)
        session.lost(gone("closed"))
        _, fresh = join(device)
        self.assertEqual((fresh.value(), device.counters["dropped_packets"]), (b"b\n", 0))
        self.assertFalse(fresh.disconnecting)

    def test_regular_end(self) -> None:
        """A far end that is over after its regular end is not tried again; after any other end it is."""
        for clean, state in ((True, "stopped"), (False, "waiting")):
            device = self.device()
            self.dial.comes_back = False
            self.dial.trial.callback(None)
            session, _ = join(device)
            session.lost(gone("the end", clean))
            self.assertEqual(keeper(device).state, state)
            device.stop()

    def test_what_waited_at_the_regular_end(self) -> None:
        """What is held for a far end that will not come back is dropped, and told with that reason."""
        device = self.device(when_absent="hold")
        self.dial.comes_back = False
        self.dial.trial.callback(None)
        session, wire = join(device)
        wire.room = 1
        for text in (b"a", b"b"):
            deliver(session, command(text, ""), text + b"\n")
        session.lost(gone("the end", clean=True))
        self.assertEqual(device.counters["dropped_packets"], 1)
        self.assertIn("[dev] absent: 1 packet dropped: its far end has come to its end", self.said())
        self.assertNotIn("the gateway stops", self.said())

    def test_lost_boundary(self) -> None:
        """A lost boundary ends the session, but where the framer finds the next one itself."""
        for resyncs in (False, True):
            device = self.device()
            self.dial.resyncs = resyncs
            session, wire = join(device)
            device.how.lost_boundary(session, "no boundary")
            self.assertEqual(wire.aborted, not resyncs)
            device.stop()


class UsedTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.runtime = make_runtime()
        self.dial = Dial()

    def device(self, while_used: bool = True) -> Link:
        plan = make_plan("dev")
        link = Link(plan, self.runtime, Connector(self.dial, while_used=while_used), stream_wires(plan))
        link.start()
        return link

    def test_stopped(self) -> None:
        """A stopped link opens nothing, whoever would use it now or did when it was stopped; to stop it twice is to stop it once."""
        device = self.device()
        reader = self.reader()
        self.dial.trial.callback(None)
        session, _ = join(device)
        for _ in range(2):
            device.stop()
        session.lost(gone("closed"))
        self.assertEqual(keeper(device).state, "stopped")
        reader.lost(gone())
        self.reader()
        self.assertEqual(keeper(device).state, "stopped")

    def test_regular_end(self) -> None:
        """What has come to its regular end is not begun again, whoever uses it."""
        device = self.device()
        self.dial.comes_back = False
        self.reader()
        self.dial.trial.callback(None)
        session, _ = join(device)
        session.lost(gone("the end", clean=True))
        self.assertEqual(keeper(device).state, "stopped")

    def test_why_it_was_closed(self) -> None:
        """That it was closed because nobody uses it is said here, as whoever keeps it does not know; every other end is said there."""
        for while_used, used, rests in ((True, False, False), (True, True, False), (True, False, True), (False, False, False)):
            self.runtime, self.dial = make_runtime(), Dial()
            self.dial.rests = rests
            device = self.device(while_used)
            reader = self.reader()
            session, _ = join(device)
            if not used:
                reader.lost(gone())
            session.lost(gone("over"))
            closed = while_used and not used and not rests
            self.assertEqual(any("closed:" in line for line in self.runtime.lines), closed)  # type: ignore[attr-defined]
            self.assertEqual(keeper(device).state == "stopped", closed)

    def reader(self) -> Session:
        return join(make_link(self.runtime, f"lan{len(self.runtime.lines)}", hears=("dev",)))[0]  # type: ignore[attr-defined]

    def test_closed(self) -> None:
        """It is opened for the first that uses it, closed after the last, and opened again for the next."""
        device = self.device()
        self.assertEqual(keeper(device).state, "stopped")
        reader = self.reader()
        self.assertEqual(keeper(device).state, "trying")
        self.dial.trial.callback(None)
        session, wire = join(device)
        reader.lost(gone())
        self.assertEqual((wire.disconnecting, keeper(device).state), (True, "stopped"))
        self.reader()
        session.lost(gone("closed"))
        self.assertEqual(keeper(device).state, "trying")

    def test_rests(self) -> None:
        """One that may rest stays open, and is not read while nobody uses it."""
        self.dial.rests = True
        device = self.device()
        self.dial.trial.callback(None)
        _, wire = join(device)
        self.assertFalse(wire.reading)
        reader = self.reader()
        self.assertTrue(wire.reading)
        reader.lost(gone())
        self.assertEqual((wire.reading, wire.disconnecting, keeper(device).state), (False, False, "connected"))
        device.stop()

    def test_wants_nothing_itself(self) -> None:
        """What is open only while it is used is no reason to open another such."""
        counts: list[int] = []
        self.runtime.demand.watch("lan", (), counts.append)
        device = self.device()
        device.rewire(("lan",))
        join(device)
        self.assertEqual(counts, [0])
