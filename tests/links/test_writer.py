"""The way out of one session."""

from __future__ import annotations

from gateway.bus.outbox import OVERHEAD, Parcel
from gateway.errors import CodecError
from gateway.packet import Batch, Frames
from gateway.peer import PLAIN
from gateway.wires import Encoded
from gateway.wires._framed import FramedWire

from ..building import LinkCase, deliver, gone, join, join_over, lines, make_link, make_runtime, outbox


class WritingTests(LinkCase):
    def test_clear(self) -> None:
        """While nothing waits, a delivery is one write of the same bytes, and no outbox is made."""
        session, wire = join(make_link(self.runtime, "lan"))
        deliver(session, lines(b"a"), b"a\n")
        self.assertEqual((wire.value(), session.writer.outbox, wire.streaming), (b"a\n", None, True))

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

    def test_partly_drained(self) -> None:
        """A peer that has taken a part gets the rest in order; whoever was paused for it waits until half is written."""
        device = make_link(self.runtime, "dev", hears=("lan",), outbox={"bytes": 100_000, "when_full": "block"})
        _, writer_wire = join(make_link(self.runtime, "lan"))
        session, wire = join(device)
        wire.room = 1
        for text in (b"0", b"1", b"2", b"3"):
            deliver(session, lines(text), text * 40_000)
        wire.room = 1
        session.writer.resumeProducing()
        deliver(session, lines(b"4"), b"4")
        self.assertEqual((wire.value(), writer_wire.reading), (b"0" * 40_000 + b"1" * 40_000, False))
        wire.drain()
        self.assertEqual((wire.value()[80_000:], writer_wire.reading), (b"2" * 40_000 + b"3" * 40_000 + b"4", True))

    def test_other_bytes(self) -> None:
        """A parcel that was encoded for peers who want other bytes is encoded anew."""
        session, wire = join(make_link(self.runtime, "lan"))
        session.write(Parcel(lines(b"a"), Encoded(b"other", 1), "other"))
        self.assertEqual(wire.value(), b"a\n")

    def test_refused_anew(self) -> None:
        """A packet that could not be said in other bytes either is refused once; one that can be said now is written."""
        for size, refused in ((2, 1), (4, 2)):
            link = make_link(self.runtime, "lan", framing="fixed", framing_size=size)
            session, _ = join(link)
            parcel = Parcel(lines(b"ab", b"cd", b"long"), Encoded(b"ab cd", 2, ((2, CodecError("too long")),)), "other")
            session.writer.account.refuse(1)
            session.write(parcel)
            self.assertEqual(link.accounts(), {"came": 3, "written": 3 - refused, "refused": refused, "waiting": 0, "unaccounted": 0})

    def test_after_the_end(self) -> None:
        """Nothing is written behind the end that was sent, nor to a transport that was cut or says that it is over."""
        for end in ("close", "abort", "stop"):
            link = make_link(self.runtime, "lan")
            session, wire = join(link)
            if end == "close":
                session.close("enough")
            elif end == "abort":
                session.abort("enough")
            else:
                session.writer.stopProducing()
            link.deliver(lines(b"late"))
            self.assertEqual((wire.value(), link.counters["packets_out"]), (b"", 0), end)

    def test_told_late(self) -> None:
        """A transport that says late that its queue is empty, or full, has nothing written to it, and leaves no timer."""
        link = make_link(self.runtime, "lan")
        session, wire = join(link)
        session.lost(gone())
        wire.drain()
        self.assertFalse(session.clear)
        session.writer.pauseProducing()
        self.clock.pump([1.0] * 120)
        self.assertEqual((link.counters["stalled"], self.clock.getDelayedCalls()), (0, []))

    def test_channel_is_told(self) -> None:
        """A protocol below that has words of its own is told when all is written, and not before."""
        _, wire, channel = join_over(make_link(self.runtime, "lan"))
        wire.room = 1
        deliver(channel.session, lines(b"a"), b"a\n")
        deliver(channel.session, lines(b"b"), b"b\n")
        wire.room = 1
        channel.session.writer.resumeProducing()
        self.assertEqual(channel.asked, [])
        wire.drain()
        self.assertEqual(channel.asked, [("written",)])

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
        for text in (b"a\n", b"b\n", b"c\n", b"d\n", b"e\n"):
            deliver(session, lines(text[:-1]), text)
        wire.drain()
        self.assertEqual((wire.value(), session.writer.account.lost), (b"a\nd\ne\n", 2))

    def test_unaccounted(self) -> None:
        """Every packet is accounted for, for who was there from the beginning, for who came late, and for who has not come yet."""
        link = make_link(self.runtime, "lan", hears=("gps",))
        first, _ = join(link)
        self.runtime.bus.publish(lines(b"1", b"2"))
        late, wire = join(link)
        wire.room = 1
        for _ in range(2):
            self.runtime.bus.publish(lines(b"3", b"4", b"5"))
        early = link.new_session(PLAIN)
        self.assertEqual([session.writer.unaccounted for session in (first, late, early)], [0, 0, 0])
        self.assertEqual([session.writer.waiting for session in (first, late, early)], [0, 3, 0])
        counts = {"came": 14, "written": 11, "refused": 0, "waiting": 3, "unaccounted": 0}
        self.assertEqual(link.accounts(), counts)

    def test_accounts_after_the_end(self) -> None:
        """What was for a session that is over stays accounted for, and what is dropped for it afterwards is added."""
        link = make_link(self.runtime, "lan", hears=("gps",))
        session, _ = join(link)
        self.runtime.bus.publish(lines(b"1", b"2"))
        session.lost(gone("gone"))
        counts = {"came": 2, "written": 2, "refused": 0, "waiting": 0, "unaccounted": 0}
        self.assertEqual(link.accounts(), counts)
        session.write(Parcel(lines(b"3")))
        self.assertEqual(link.accounts(), counts | {"came": 3, "dropped_closing": 1})

    def test_delay(self) -> None:
        """How long a packet that waited took is from the last byte that was read to the write."""
        link = make_link(self.runtime, "lan", hears=("gps",))
        _, wire = join(link)
        wire.room = 1
        for _ in range(2):
            frames = Frames(b"1\n", 1, delimiter=b"\n")
            self.runtime.bus.publish(Batch("gps", "run", 1, self.runtime.wall() - 5_000_000, "gps#1", frames))
        wire.drain()
        self.assertEqual((len(link.ledger.delays), link.ledger.delays.longest), (2, 5_000_000))

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

    def test_given_up_keeps_nobody_waiting(self) -> None:
        """Where what waits is given up for want of memory, whoever was paused for it goes on: nothing would wake it later."""
        for before in (True, False):
            runtime = make_runtime(self.clock, memory=5 * OVERHEAD)
            device = make_link(runtime, "dev", hears=("lan",), outbox={"bytes": 2 if before else 9000, "when_full": "block"})
            _, writer_wire = join(make_link(runtime, "lan"))
            session, wire = join(device)
            wire.room = 1
            for text in (b"a\n", b"b\n", b"c\n"):
                deliver(session, lines(text[:-1]), text)
            self.assertEqual(writer_wire.reading, not before)
            deliver(session, lines(b"d"), b"d" * 10_000)
            self.assertEqual((writer_wire.reading, len(outbox(session))), (True, 0))

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
        device = self.device(when_absent="hold")
        poison, good = b"x" * 40_000 + b"\n", b"y" * 40_000 + b"\n"
        for data in (poison, good):
            self.runtime.bus.publish(Batch("lan", "run", 1, 0, "", Frames(data, 1, delimiter=b"\n")))
        encode = FramedWire.encode
        self.patch(FramedWire, "encode", lambda wire, batch: 1 / 0 if batch.data == poison else encode(wire, batch))
        self.dial.trial.callback(None)
        session, wire = join(device)
        session.lost(gone("cut"))
        self.assertEqual((wire.aborted, wire.value(), device.counters["dropped_packets"]), (True, b"", 1))
        _, fresh = join(device)
        self.assertEqual((fresh.value(), device.counters["dropped_packets"], self.runtime.memory.used), (good, 1, 0))

    def test_answer_to_the_last_packet(self) -> None:
        """What is said to a peer that has just gone is dropped and not counted as written."""
        link = make_link(self.runtime, "lan", hears=("echo",))
        session, wire = join(link)
        answer = Batch("echo", "run", 1, 0, "", Frames(b"re\n", 1, delimiter=b"\n"))
        self.runtime.bus.subscribe(["lan"], lambda batch: self.runtime.bus.publish(answer) and None, "echo")
        session.received(b"tail")
        session.lost(gone("closed", clean=True))
        self.assertEqual((wire.value(), link.counters["packets_out"], link.counters["dropped_packets"]), (b"", 0, 1))
