"""One live peer: reading, writing, pausing and ending."""

from __future__ import annotations

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.bus.outbox import OVERHEAD, Item, Verb
from gateway.links.session import HALF_CLOSED, Session
from gateway.packet import Batch, Frames
from gateway.peer import Peer

from ..building import Wire, join, make_link, make_runtime


def lines(*texts: bytes, origin: str = "gps#1", seq: int = 1) -> Batch:
    data = b"".join(text + b"\n" for text in texts)
    return Batch("gps", "run", seq, 0, origin, Frames(data, len(texts), delimiter=b"\n", strip=b"\r"))


class SessionTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.clock.advance(1000)
        self.runtime = make_runtime(self.clock)

    def said(self) -> str:
        return "\n".join(self.runtime.lines)  # type: ignore[attr-defined]


class ReadingTests(SessionTestCase):
    def test_numbers_and_stamps(self) -> None:
        """What a session sends is published under its link's topic, numbered gap-free from 1 over reads and sessions, with one run."""
        link = make_link(self.runtime, "lan")
        heard: list[Batch] = []
        self.runtime.bus.subscribe(["lan"], heard.append, "test")
        one, _ = join(link)
        two, _ = join(link)
        one.received(b"a\nb\nc")
        two.received(b"x\n")
        one.received(b"\n")
        self.assertEqual(
            [(b.seq, b.count, b.origin, list(b.payloads)) for b in heard],
            [(1, 2, "lan#1", [b"a", b"b"]), (3, 1, "lan#2", [b"x"]), (4, 1, "lan#1", [b"c"])],
        )
        self.assertEqual({b.run for b in heard}, {link.run})

    def test_nobody_hears(self) -> None:
        """What nobody hears is counted, and the first of it told, once a session."""
        link = make_link(self.runtime, "lan")
        session, _ = join(link)
        session.received(b"hello\n")
        session.received(b"again\n")
        self.assertEqual(link.counters["unheard_bytes"], 12)
        self.assertEqual(self.said().count("discarded"), 1)
        self.assertIn("[lan] 10.0.0.1:1: what it sends is discarded, 6 bytes to begin with: nobody hears 'lan'", self.said())

    def test_reader_only(self) -> None:
        """A session that may not write is heard by nobody, and told why."""
        link = make_link(self.runtime, "lan")
        heard: list[Batch] = []
        self.runtime.bus.subscribe(["lan"], heard.append, "test")
        session = Session(link, "10.0.0.9:9", Peer(False, may_write=False, why="set fallback_write = yes"))
        session.connected(Wire())
        session.received(b"reset\n")
        self.assertEqual((heard, link.counters["unheard_bytes"]), ([], 6))
        self.assertIn("fallback_write", self.said())

    def test_heard_again_in_the_middle(self) -> None:
        """A topic that comes to be heard in the middle of a packet gives that packet whole: none is torn, none glued from two."""
        for framing, options, packet in (("lines", {}, b"beginning-of-one\n"), ("fixed", {"framing_size": 6}, b"beginn")):
            link = make_link(self.runtime, framing, framing=framing, **options)  # type: ignore[arg-type]
            session, _ = join(link)
            heard: list[bytes] = []
            subscribe = lambda heard=heard, name=framing: self.runtime.bus.subscribe([name], lambda b: heard.append(b.data), "test")  # noqa: E731
            first = subscribe()
            session.received(packet[:4])
            first.cancel()
            session.received(packet[4:] + packet + packet[:3])
            subscribe()
            session.received(packet[3:] + packet[:1])
            self.assertEqual(heard, [packet], framing)
            self.assertEqual(link.counters["unheard_bytes"], 2 * len(packet))

    def test_late_input(self) -> None:
        """What comes while a session is being ended goes nowhere, and is counted."""
        link = make_link(self.runtime, "lan")
        session, _ = join(link)
        session.close("enough")
        session.received(b"late\n")
        self.assertEqual((link.counters["late_bytes"], session.received_bytes), (5, 5))

    def test_client_topic(self) -> None:
        """``{client}`` in the topic is the identity in the certificate."""
        link = make_link(self.runtime, "feed", topic="feed/{client}")
        heard: list[Batch] = []
        self.runtime.bus.subscribe(["feed"], heard.append, "test")
        session = Session(link, "10.0.0.9:9", Peer(True, "buoy-7"))
        session.connected(Wire())
        session.received(b"1\n")
        self.assertEqual(heard[0].topic, "feed/buoy-7")

    def test_tail(self) -> None:
        """What is left at the end is dropped and counted after an unclean one, a packet after a clean one; on_tail overrules."""
        for tail, clean, expected in (("auto", False, []), ("auto", True, [b"half"]), ("emit", False, [b"half"]), ("drop", True, [])):
            runtime = make_runtime()
            link = make_link(runtime, "lan", on_tail=tail)
            heard: list[bytes] = []
            runtime.bus.subscribe(["lan"], lambda batch, heard=heard: heard.extend(batch.payloads), "test")  # type: ignore[misc]
            session, _ = join(link)
            session.received(b"half")
            session.lost("gone", clean)
            self.assertEqual((heard, link.counters["tail"]), (expected, 0 if expected else 1))

    def test_silence(self) -> None:
        """A framing that waits is woken when its time has come, and leaves no timer behind."""
        link = make_link(self.runtime, "lan", framing="silence", framing_interval=0.05)
        heard: list[bytes] = []
        self.runtime.bus.subscribe(["lan"], lambda batch: heard.extend(batch.payloads), "test")
        session, _ = join(link)
        session.received(b"ab")
        self.clock.advance(0.04)
        session.received(b"cd")
        self.clock.advance(0.04)
        self.assertEqual(heard, [])
        self.clock.advance(0.02)
        self.assertEqual(heard, [b"abcd"])
        session.received(b"ef")
        session.lost("gone", clean=False)
        self.assertEqual((heard, self.clock.getDelayedCalls()), ([b"abcd"], []))

    def test_fatal_fault(self) -> None:
        """With on_oversize = close the good packets are delivered, then the session is cut, and the log says at which limit."""
        link = make_link(self.runtime, "lan", framing_max=4, framing_on_oversize="close")
        heard: list[bytes] = []
        self.runtime.bus.subscribe(["lan"], lambda batch: heard.extend(batch.payloads), "test")
        session, wire = join(link)
        session.received(b"ok\ntoo long\n")
        self.assertEqual((heard, wire.aborted), ([b"ok"], True))
        self.assertEqual(link.counters["oversize"], 1)
        self.assertIn("4", self.said())


class PausingTests(SessionTestCase):
    def test_tokens(self) -> None:
        """Reading stops at the first token and goes on after the last; a token that was not given takes nothing back."""
        session, wire = join(make_link(self.runtime, "lan"))
        session.pause("a")
        session.pause("b")
        session.resume("a")
        session.resume("c")
        self.assertFalse(wire.reading)
        session.resume("b")
        self.assertTrue(wire.reading)

    def test_paused_before_connected(self) -> None:
        """A pause that comes before the transport holds from the start."""
        link = make_link(self.runtime, "lan")
        session, wire = Session(link, "x"), Wire()
        session.pause("a")
        session.connected(wire)
        self.assertFalse(wire.reading)


class WritingTests(SessionTestCase):
    def test_clear(self) -> None:
        """While nothing waits, a delivery is one write of the same bytes, and no outbox is made."""
        session, wire = join(make_link(self.runtime, "lan"))
        session.deliver(lines(b"a"), b"a\n")
        self.assertEqual((wire.value(), session.outbox), (b"a\n", None))

    def test_waits_and_drains(self) -> None:
        """What does not fit waits in order, and goes out joined when the peer has taken the rest."""
        session, wire = join(make_link(self.runtime, "lan"))
        wire.room = 1
        for text in (b"a\n", b"b\n", b"c\n"):
            session.deliver(lines(text[:-1]), text)
        self.assertEqual(wire.value(), b"a\n")
        wire.drain()
        self.assertEqual(wire.value(), b"a\nb\nc\n")
        session.deliver(lines(b"d"), b"d\n")
        self.assertEqual(wire.value(), b"a\nb\nc\nd\n")

    def test_too_slow(self) -> None:
        """``disconnect`` acts when a packet does not fit: the session is cut, counted and named in the log with the limit."""
        link = make_link(self.runtime, "lan", outbox={"bytes": 10, "when_full": "disconnect"})
        session, wire = join(link)
        wire.room = 1
        for _ in range(3):
            session.deliver(lines(b"12345678"), b"12345678\n")
        self.assertTrue(wire.aborted)
        session.lost("aborted", clean=False)
        self.assertEqual((link.counters["slow_disconnects"], link.counters["dropped_packets"]), (1, 2))
        self.assertIn("[lan] 10.0.0.1:1: gone: too slow: outbox full at 10 bytes", self.said())
        self.assertEqual(self.runtime.memory.used, 0)

    def test_too_slow_once(self) -> None:
        """Who is being cut is cut once, however much comes for him meanwhile; all of that is counted as dropped."""
        link = make_link(self.runtime, "lan", outbox={"bytes": 10, "when_full": "disconnect"})
        session, wire = join(link)
        wire.room = 1
        for _ in range(6):
            session.deliver(lines(b"12345678"), b"12345678\n")
        session.close("late")
        session.lost("aborted", clean=False)
        self.assertEqual((link.counters["slow_disconnects"], link.counters["dropped_packets"]), (1, 5))
        self.assertEqual(self.said().count("gone:"), 1)

    def test_drop_oldest(self) -> None:
        """``drop-oldest`` keeps the newest and counts what it dropped."""
        link = make_link(self.runtime, "lan", outbox={"bytes": 4, "when_full": "drop-oldest"})
        session, wire = join(link)
        wire.room = 1
        for text in (b"a\n", b"b\n", b"c\n", b"d\n"):
            session.deliver(lines(text[:-1]), text)
        wire.drain()
        self.assertEqual((wire.value(), session.dropped), (b"a\nc\nd\n", 1))

    def test_block(self) -> None:
        """``block`` pauses whoever publishes to it, and lets them go on when half is written."""
        device = make_link(self.runtime, "dev", hears=("lan",), outbox={"bytes": 4, "when_full": "block"})
        lan = make_link(self.runtime, "lan")
        writer, writer_wire = join(lan)
        session, wire = join(device)
        wire.room = 1
        for text in (b"a\n", b"b\n", b"c\n", b"d\n"):
            session.deliver(lines(text[:-1], origin=writer.id), text)
        self.assertFalse(writer_wire.reading)
        wire.drain()
        self.assertTrue(writer_wire.reading)
        self.assertEqual((wire.value(), session.dropped), (b"a\nb\nc\nd\n", 0))

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
            writer.lost("gone", clean=False)
        assert session.outbox is not None
        self.assertLessEqual(session.outbox.bytes, 16)
        wire.drain()
        self.assertTrue(join(lan)[1].reading)

    def test_blocked_device_ends(self) -> None:
        """Whoever was paused for a session goes on when that session ends, and what was queued is dropped and counted."""
        device = make_link(self.runtime, "dev", hears=("lan",), outbox={"bytes": 4, "when_full": "block"})
        writer, writer_wire = join(make_link(self.runtime, "lan"))
        session, wire = join(device)
        wire.room = 1
        for text in (b"a\n", b"b\n", b"c\n", b"d\n"):
            session.deliver(lines(text[:-1], origin=writer.id), text)
        session.lost("unplugged", clean=False)
        self.assertTrue(writer_wire.reading)
        self.assertEqual(device.counters["dropped_packets"], 3)

    def test_memory_and_close(self) -> None:
        """A session that is closing ends though its packets had to be given up."""
        runtime = make_runtime(self.clock, memory=20 + 2 * OVERHEAD)
        link = make_link(runtime, "lan", outbox={"when_full": "drop-oldest"})
        (one, one_wire), (two, two_wire) = join(link), join(link)
        for session, wire in ((one, one_wire), (two, two_wire)):
            wire.room = 1
            session.deliver(lines(b"a"), b"a\n")
        one.deliver(lines(b"b"), b"b" * 15)
        one.close("enough")
        two.deliver(lines(b"b"), b"b" * 14)
        one_wire.drain()
        self.assertEqual((one_wire.value(), one_wire.disconnecting), (b"a\n", True))

    def test_all_memory(self) -> None:
        """Past the memory of all outboxes the fullest session is ended, and the log names the limit."""
        runtime = make_runtime(self.clock, memory=3 * OVERHEAD)
        link = make_link(runtime, "lan")
        session, wire = join(link)
        wire.room = 1
        for _ in range(4):
            session.deliver(lines(b"1234567"), b"1234567\n")
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
                session.deliver(lines(b"1234567"), b"1234567\n")
            self.assertEqual((link.counters["dropped_packets"], session.dropped), (3, 3), policy)
            said = [line for line in runtime.lines if "dropped" in line]  # type: ignore[attr-defined]
            self.assertEqual((len(said), "memory" in said[0]), (1, True), said)


class EndingTests(SessionTestCase):
    def test_close_flushes(self) -> None:
        """Closing writes the whole packets that wait, then ends; what comes after is dropped and counted."""
        link = make_link(self.runtime, "lan")
        session, wire = join(link)
        wire.room = 1
        session.deliver(lines(b"a"), b"a\n")
        session.deliver(lines(b"b"), b"b\n")
        session.close("enough")
        session.deliver(lines(b"c"), b"c\n")
        self.assertFalse(wire.disconnecting)
        wire.drain()
        self.assertEqual((wire.value(), wire.disconnecting), (b"a\nb\n", True))
        self.assertEqual(link.counters["dropped_packets"], 1)

    def test_close_reads_on(self) -> None:
        """A peer that has written is read to its end, and what it says then goes nowhere: unread input would reset the connection."""
        link = make_link(self.runtime, "lan")
        heard: list[Batch] = []
        self.runtime.bus.subscribe(["lan"], heard.append, "test")
        session, wire = join(link)
        session.received(b"before\n")
        session.pause("full")
        session.close("enough")
        self.assertTrue(wire.reading)
        session.received(b"late\n")
        self.assertEqual(len(heard), 1)
        session.input_ended()
        self.assertTrue(wire.disconnecting)

    def test_queued_at_the_peers_end(self) -> None:
        """A reader that closes its sending side while packets wait for it gets them all before the end; so does one that has asked."""
        for asks in (False, True):
            link = make_link(self.runtime, "lan")
            self.runtime.bus.subscribe(["lan"], lambda batch: None, "test")
            session, wire = join(link)
            if asks:
                session.received(b"?\n")
            wire.room = 1
            for text in (b"a\n", b"b\n"):
                session.deliver(lines(text[:-1]), text)
            session.input_ended()
            if asks:
                self.clock.advance(HALF_CLOSED)
            self.assertFalse(wire.disconnecting)
            wire.drain()
            self.assertEqual((wire.value(), wire.disconnecting, wire.producer), (b"a\nb\n", True, None))

    def test_peers_end_while_closing(self) -> None:
        """The peer's end does not cut what is still to be flushed to it, nor is it waited for a second time."""
        session, wire = join(make_link(self.runtime, "lan"))
        self.runtime.bus.subscribe(["lan"], lambda batch: None, "test")
        session.received(b"?\n")
        wire.room = 1
        for text in (b"a\n", b"b\n"):
            session.deliver(lines(text[:-1]), text)
        session.close("enough")
        session.input_ended()
        self.assertFalse(wire.disconnecting)
        wire.drain()
        self.assertEqual((wire.value(), wire.disconnecting), (b"a\nb\n", True))

    def test_verbs_in_order(self) -> None:
        """What stands behind a verb goes out behind what the verb does."""

        class Breaking(Session):
            __slots__ = ()

            def perform(self, verb: Verb) -> None:
                self.transport.write(b"<%s>" % verb.name.encode())

        link = make_link(self.runtime, "dev")
        session, wire = Breaking(link, "x"), Wire()
        session.connected(wire)
        wire.room = 1
        for text in (b"a", b"b"):
            session.deliver(lines(text), text)
        assert session.outbox is not None
        session.outbox.offer(Item(Verb("break")))
        session.deliver(lines(b"c"), b"c")
        wire.drain()
        self.assertEqual((wire.value(), session.clear), (b"ab<break>c", True))

    def test_close_against_a_non_reader(self) -> None:
        """A peer that takes nothing cannot hold a closing session longer than the linger time."""
        session, wire = join(make_link(self.runtime, "lan"))
        wire.room = 1
        session.deliver(lines(b"a"), b"a\n")
        session.deliver(lines(b"b"), b"b\n")
        session.close("enough")
        self.clock.advance(self.runtime.linger - 0.1)
        self.assertFalse(wire.aborted)
        self.clock.advance(0.2)
        self.assertTrue(wire.aborted)

    def test_close_clear(self) -> None:
        """Without anything waiting, closing unregisters the producer (or Twisted would wait for it) and ends at once."""
        session, wire = join(make_link(self.runtime, "lan"))
        session.close("enough")
        self.assertEqual((wire.disconnecting, wire.producer), (True, None))
        session.lost("closed", clean=False)
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stalled(self) -> None:
        """Who takes no byte at all for stall_timeout while something waits is cut; who takes a little is not."""
        link = make_link(self.runtime, "lan", stall_timeout=30.0)
        slow, slow_wire = join(link)
        dead, dead_wire = join(link)
        for session, wire in ((slow, slow_wire), (dead, dead_wire)):
            wire.room = -100
            session.deliver(lines(b"a"), b"a\n")
        for _ in range(40):
            slow_wire.pending -= 1
            self.clock.advance(1)
        self.assertEqual((slow_wire.aborted, dead_wire.aborted), (False, True))
        self.assertEqual(link.counters["stalled"], 1)
        dead.lost("cut", clean=False)
        self.assertIn("gone: took no byte for 30 s while 102 bytes waited", self.said())

    def test_no_stall_timeout(self) -> None:
        """``stall_timeout = 0`` waits for ever."""
        session, wire = join(make_link(self.runtime, "lan", stall_timeout=0.0))
        wire.room = 1
        session.deliver(lines(b"a"), b"a\n")
        self.clock.pump([10] * 100)
        self.assertFalse(wire.aborted)

    def test_lost_once(self) -> None:
        """An end is told once, however often the transport says so."""
        link = make_link(self.runtime, "lan")
        session, _ = join(link)
        session.lost("gone", clean=False)
        session.lost("gone", clean=False)
        session.close("late")
        session.abort("late")
        self.assertEqual(self.said().count("gone:"), 1)
        self.assertEqual(len(link.sessions), 0)
