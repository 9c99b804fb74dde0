"""The way out of one session."""

from __future__ import annotations

from gateway.bus.outbox import OVERHEAD
from gateway.packet import Batch, Frames
from gateway.wires._framed import FramedWire

from ..building import Dial, LinkCase, deliver, gone, join, lines, make_link, make_runtime, outbox


class WritingTests(LinkCase):
    def test_clear(self) -> None:
        """While nothing waits, a delivery is one write of the same bytes, and no outbox is made."""
        session, wire = join(make_link(self.runtime, "lan"))
        deliver(session, lines(b"a"), b"a\n")
        self.assertEqual((wire.value(), session.writer.outbox), (b"a\n", None))

    def test_waits_and_drains(self) -> None:
        """What does not fit waits in order, and goes out joined when the peer has taken the rest."""
        session, wire = join(make_link(self.runtime, "lan"))
        wire.room = 1
        for text in (b"a\n", b"b\n", b"c\n"):
            deliver(session, lines(text[:-1]), text)
        self.assertEqual(wire.value(), b"a\n")
        wire.drain()
        self.assertEqual(wire.value(), b"a\nb\nc\n")
        deliver(session, lines(b"d"), b"d\n")
        self.assertEqual(wire.value(), b"a\nb\nc\nd\n")

    def test_too_slow(self) -> None:
        """``disconnect`` acts when a packet does not fit: the session is cut, counted and named in the log with the limit."""
        link = make_link(self.runtime, "lan", outbox={"bytes": 10, "when_full": "disconnect"})
        session, wire = join(link)
        wire.room = 1
        for _ in range(3):
            deliver(session, lines(b"12345678"), b"12345678\n")
        self.assertTrue(wire.aborted)
        session.lost(gone("aborted"))
        self.assertEqual((link.counters["slow_disconnects"], link.counters["dropped_packets"]), (1, 2))
        self.assertIn("[lan] 10.0.0.1:1: gone: too slow: outbox full at 10 bytes", self.said())
        self.assertEqual(self.runtime.memory.used, 0)

    def test_too_slow_once(self) -> None:
        """Who is being cut is cut once, however much comes for him meanwhile; all of that is counted as dropped."""
        link = make_link(self.runtime, "lan", outbox={"bytes": 10, "when_full": "disconnect"})
        session, wire = join(link)
        wire.room = 1
        for _ in range(6):
            deliver(session, lines(b"12345678"), b"12345678\n")
        session.close("late")
        session.lost(gone("aborted"))
        self.assertEqual((link.counters["slow_disconnects"], link.counters["dropped_packets"]), (1, 5))
        self.assertEqual(self.said().count("gone:"), 1)

    def test_drop_oldest(self) -> None:
        """``drop-oldest`` keeps the newest and counts what it dropped."""
        link = make_link(self.runtime, "lan", outbox={"bytes": 4, "when_full": "drop-oldest"})
        session, wire = join(link)
        wire.room = 1
        for text in (b"a\n", b"b\n", b"c\n", b"d\n"):
            deliver(session, lines(text[:-1]), text)
        wire.drain()
        self.assertEqual((wire.value(), session.writer.account.lost), (b"a\nc\nd\n", 1))

    def test_block(self) -> None:
        """``block`` pauses whoever publishes to it, and lets them go on when half is written."""
        device = make_link(self.runtime, "dev", hears=("lan",), outbox={"bytes": 4, "when_full": "block"})
        lan = make_link(self.runtime, "lan")
        writer, writer_wire = join(lan)
        session, wire = join(device)
        wire.room = 1
        for text in (b"a\n", b"b\n", b"c\n", b"d\n"):
            deliver(session, lines(text[:-1], origin=writer.id), text)
        self.assertFalse(writer_wire.reading)
        wire.drain()
        self.assertTrue(writer_wire.reading)
        self.assertEqual((wire.value(), session.writer.account.lost), (b"a\nb\nc\nd\n", 0))

    def test_block_and_newcomers(self) -> None:
        """However many come, write and leave, a device that takes nothing holds its limit and one read: newcomers begin paused."""
        device = make_link(self.runtime, "dev", hears=("lan",), outbox={"bytes": 8, "when_full": "block"})
        lan = make_link(self.runtime, "lan")
        session, wire = join(device)
        wire.room = 1
        for _ in range(50):
            writer, writer_wire = join(lan)
            if writer_wire.reading:
                writer.received(b"1234567\n")
            writer.lost(gone("gone"))
        self.assertLessEqual(outbox(session).bytes, 16)
        wire.drain()
        self.assertTrue(join(lan)[1].reading)

    def test_blocked_device_ends(self) -> None:
        """Whoever was paused for a session goes on when that session ends, and what was queued is dropped and counted."""
        device = make_link(self.runtime, "dev", hears=("lan",), outbox={"bytes": 4, "when_full": "block"})
        writer, writer_wire = join(make_link(self.runtime, "lan"))
        session, wire = join(device)
        wire.room = 1
        for text in (b"a\n", b"b\n", b"c\n", b"d\n"):
            deliver(session, lines(text[:-1], origin=writer.id), text)
        session.lost(gone("unplugged"))
        self.assertTrue(writer_wire.reading)
        self.assertEqual(device.counters["dropped_packets"], 3)

    def test_memory_and_close(self) -> None:
        """A session that is closing ends though its packets had to be given up."""
        runtime = make_runtime(self.clock, memory=20 + 2 * OVERHEAD)
        link = make_link(runtime, "lan", outbox={"when_full": "drop-oldest"})
        (one, one_wire), (two, two_wire) = join(link), join(link)
        for session, wire in ((one, one_wire), (two, two_wire)):
            wire.room = 1
            deliver(session, lines(b"a"), b"a\n")
        deliver(one, lines(b"b"), b"b" * 15)
        one.close("enough")
        deliver(two, lines(b"b"), b"b" * 14)
        one_wire.drain()
        self.assertEqual((one_wire.value(), one_wire.disconnecting), (b"a\n", True))

    def test_all_memory(self) -> None:
        """Past the memory of all outboxes the fullest session is ended, and the log names the limit."""
        runtime = make_runtime(self.clock, memory=3 * OVERHEAD)
        link = make_link(runtime, "lan")
        session, wire = join(link)
        wire.room = 1
        for _ in range(4):
            deliver(session, lines(b"1234567"), b"1234567\n")
        self.assertTrue(wire.aborted)
        self.assertIn(f"[gateway] memory = {3 * OVERHEAD}", "\n".join(runtime.lines))  # type: ignore[attr-defined]

    def test_given_up_is_counted_once(self) -> None:
        """What is dropped because all outboxes are over their limit is counted once, and with that reason, under every policy."""
        for policy in ("drop-oldest", "drop-newest", "block"):
            runtime = make_runtime(self.clock, memory=3 * OVERHEAD)
            link = make_link(runtime, "lan", outbox={"when_full": policy})
            session, wire = join(link)
            wire.room = 1
            for _ in range(4):
                deliver(session, lines(b"1234567"), b"1234567\n")
            self.assertEqual((link.counters["dropped_packets"], session.writer.account.lost), (3, 3), policy)
            said = [line for line in runtime.lines if "dropped" in line]  # type: ignore[attr-defined]
            self.assertEqual((len(said), "memory" in said[0]), (1, True), said)

    def test_poison(self) -> None:
        """What cannot be encoded because of a fault of ours ends the session, counted, and is not tried on the next one."""
        device = make_link(self.runtime, "dev", hears=("lan",), dial=Dial(), when_absent="hold")
        self.runtime.bus.publish(Batch("lan", "run", 1, 0, "", Frames(b"x\n", 1, delimiter=b"\n")))
        self.patch(FramedWire, "encode", lambda wire, batch: 1 / 0)
        session, wire = join(device)
        session.lost(gone("cut"))
        self.assertEqual((wire.aborted, device.counters["dropped_packets"], self.runtime.memory.used), (True, 1, 0))

    def test_answer_to_the_last_packet(self) -> None:
        """What is said to a peer that has just gone is dropped and not counted as written."""
        link = make_link(self.runtime, "lan", hears=("echo",))
        session, wire = join(link)
        answer = Batch("echo", "run", 1, 0, "", Frames(b"re\n", 1, delimiter=b"\n"))
        self.runtime.bus.subscribe(["lan"], lambda batch: self.runtime.bus.publish(answer) and None, "echo")
        session.received(b"tail")
        session.lost(gone("closed", clean=True))
        self.assertEqual((wire.value(), link.counters["packets_out"], link.counters["dropped_packets"]), (b"", 0, 1))
