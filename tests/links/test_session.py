"""One live peer: reading, pausing and ending."""

from __future__ import annotations

import weakref
from typing import Any

from twisted.internet.abstract import FileDescriptor
from twisted.internet.interfaces import ITCPTransport
from zope.interface import implementer

from gateway.bus.outbox import Verb
from gateway.links.session import Session
from gateway.links.state import HALF_CLOSED
from gateway.packet import Batch
from gateway.peer import PLAIN, Peer
from gateway.wires._framed import FramedWire

from ..building import LinkCase, Wire, deliver, gone, join, join_over, lines, make_link, make_runtime, outbox


@implementer(ITCPTransport)
class Tcp(Wire):
    """A transport of which one side can be closed."""

    half_closed = False

    def loseWriteConnection(self) -> None:
        self.half_closed = True


class Vanished(Wire):
    """A transport whose socket has gone."""

    def __init__(self) -> None:
        super().__init__()
        self.transport: Any = FileDescriptor()
        self.transport.fileno = lambda: -1


class ReadingTests(LinkCase):
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
        session = link.new_session(Peer(False, may_write=False, why="set fallback_write = yes", name="10.0.0.9:9"))
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

    def test_messages(self) -> None:
        """The bodies of messages go to the wire as they came, and are counted; late ones go nowhere."""

        class Bodies(FramedWire):
            def feed(self, data: Any, now: float) -> Any:
                return super().feed(b"".join(body + b"\n" for body in data), now)

        link = make_link(self.runtime, "lan")
        heard: list[bytes] = []
        self.runtime.bus.subscribe(["lan"], lambda batch: heard.extend(batch.payloads), "test")
        session, _ = join(link)
        session.wire = Bodies(session.wire._form)  # type: ignore[attr-defined]
        session.received_messages([b"a", b"bc"])
        session.close("enough")
        session.received_messages([b"late"])
        self.assertEqual((heard, session.received_bytes, link.counters["late_bytes"]), ([b"a", b"bc"], 7, 4))

    def test_rewind(self) -> None:
        """Where something new begins, what is left of the old is its last packet, and no part of the new."""
        heard: list[bytes] = []
        self.runtime.bus.subscribe(["lan"], lambda batch: heard.extend(batch.payloads), "test")
        session, _ = join(make_link(self.runtime, "lan"))
        session.received(b"half")
        session.rewind()
        session.received(b"a\n")
        self.assertEqual(heard, [b"half", b"a"])

    def test_tail_at_the_peers_end(self) -> None:
        """What is left when the peer sends no more is dropped and counted then, though it still hears its answers."""
        link = make_link(self.runtime, "lan")
        heard: list[Batch] = []
        self.runtime.bus.subscribe(["lan"], heard.append, "test")
        session, wire = join(link)
        session.received(b"half")
        session.input_ended()
        self.assertEqual((heard, link.counters["tail"], wire.disconnecting), ([], 1, False))

    def test_names(self) -> None:
        """People call a session by its peer's name; who debugs sees its state too."""
        session, _ = join(make_link(self.runtime, "lan"))
        self.assertEqual(self.runtime.bus.name(session.id), "10.0.0.1:1")
        self.assertEqual(repr(session), "<Session lan#1 10.0.0.1:1 open>")

    def test_client_topic(self) -> None:
        """``{client}`` in the topic is the identity in the certificate."""
        link = make_link(self.runtime, "feed", topic="feed/{client}")
        heard: list[Batch] = []
        self.runtime.bus.subscribe(["feed"], heard.append, "test")
        session = link.new_session(Peer(True, "buoy-7"))
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
            session.lost(gone("gone", clean))
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
        session.lost(gone("gone"))
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


class PausingTests(LinkCase):
    def test_tokens(self) -> None:
        """Reading stops at the first token and goes on after the last; a token that was not given takes nothing back."""
        session, wire = join(make_link(self.runtime, "lan"))
        session.resume("c")
        session.pause("a")
        session.pause("b")
        session.resume("a")
        session.resume("c")
        self.assertEqual((wire.reading, session.paused), (False, True))
        session.resume("b")
        self.assertEqual((wire.reading, session.paused), (True, False))

    def test_paused_before_connected(self) -> None:
        """A pause that comes before the transport holds from the start."""
        link = make_link(self.runtime, "lan")
        session, wire = link.new_session(PLAIN), Wire()
        session.pause("a")
        session.connected(wire)
        self.assertFalse(wire.reading)

    def test_resumed_before_connected(self) -> None:
        """One that was paused and goes on before its transport is there is read from the start."""
        session, wire = make_link(self.runtime, "lan").new_session(PLAIN), Wire()
        session.pause("a")
        session.resume("a")
        session.connected(wire)
        self.assertEqual((wire.reading, session.paused), (True, False))

    def test_vanished_while_paused(self) -> None:
        """A peer that vanishes while it is paused, from the start or later, is found out; one that is read tells it itself."""
        link = make_link(self.runtime, "lan")
        for paused_first in (True, False):
            session, wire = link.new_session(PLAIN), Vanished()
            if paused_first:
                session.pause("a")
            session.connected(wire)
            session.pause("a")
            self.clock.advance(1)
            self.assertTrue(wire.aborted)
            session.lost(gone())
        session, wire = link.new_session(PLAIN), Vanished()
        session.connected(wire)
        session.pause("a")
        session.resume("a")
        self.clock.advance(1)
        self.assertEqual((wire.aborted, link.counters["vanished"], self.clock.getDelayedCalls()), (False, 2, []))


class EndingTests(LinkCase):
    def test_close_flushes(self) -> None:
        """Closing writes the whole packets that wait, then ends; what comes after is dropped and counted."""
        link = make_link(self.runtime, "lan")
        session, wire = join(link)
        wire.room = 1
        deliver(session, lines(b"a"), b"a\n")
        deliver(session, lines(b"b"), b"b\n")
        session.close("enough")
        deliver(session, lines(b"c"), b"c\n")
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

    def test_half_close(self) -> None:
        """Who has said something is sent our end, and closed after its own; who has said nothing, or its end, is closed at once."""
        self.runtime.bus.subscribe(["lan"], lambda batch: None, "test")
        for said, ended, half_closed in ((True, False, True), (False, False, False), (True, True, False)):
            session, wire = make_link(self.runtime, "lan").new_session(PLAIN), Tcp()
            session.connected(wire)
            if said:
                session.received(b"?\n")
            if ended:
                session.input_ended()
            session.close("enough")
            self.assertEqual((wire.half_closed, wire.disconnecting), (half_closed, not half_closed))
            if half_closed:
                session.input_ended()
                self.assertTrue(wire.disconnecting)

    def test_close_beside_a_full_transport(self) -> None:
        """Where nothing waits but in the transport, which sends it before its end, the end follows at once."""
        session, wire = join(make_link(self.runtime, "lan"))
        wire.room = 1
        deliver(session, lines(b"a"), b"a\n")
        session.close("enough")
        self.assertEqual((wire.value(), wire.disconnecting), (b"a\n", True))

    def test_goodbye(self) -> None:
        """A protocol below takes leave in its own way, behind what waits; the transport is its own to close."""
        link = make_link(self.runtime, "lan")
        session, wire, channel = join_over(link)
        wire.room = 1
        for text in (b"a\n", b"b\n"):
            deliver(session, lines(text[:-1]), text)
        session.close("enough")
        self.assertEqual(channel.asked, [])
        wire.drain()
        self.assertEqual((channel.asked[0], wire.value()), (("goodbye", "enough", False), b"a\nb\n"))
        self.assertEqual((wire.disconnecting, wire.producer), (False, session.writer))

    def test_goodbye_to_the_slow(self) -> None:
        """Who is too slow is told so by the protocol below; what waits is dropped and counted, and who takes no leave is cut."""
        link = make_link(self.runtime, "lan", outbox={"bytes": 2, "when_full": "disconnect"})
        session, wire, channel = join_over(link)
        wire.room = 1
        for text in (b"a\n", b"b\n", b"c\n"):
            deliver(session, lines(text[:-1]), text)
        ((verb, reason, too_slow),) = channel.asked
        self.assertEqual((verb, too_slow, reason.partition(":")[0]), ("goodbye", True, "too slow"))
        self.assertEqual((link.counters["dropped_packets"], self.runtime.memory.used, wire.aborted), (2, 0, False))
        self.clock.advance(self.runtime.linger)
        self.assertTrue(wire.aborted)

    def test_sealed(self) -> None:
        """Behind a goodbye nothing is written; the session is read on, nobody waits for it, and it is cut after the linger time."""
        link = make_link(self.runtime, "lan", hears=("gps",), outbox={"bytes": 2, "when_full": "block"})
        _, publisher = join(make_link(self.runtime, "gps"))
        session, wire, _ = join_over(link)
        session.pause("full")
        wire.room = 1
        for text in (b"a\n", b"b\n", b"c\n"):
            deliver(session, lines(text[:-1]), text)
        self.assertFalse(publisher.reading)
        session.sealed("bye")
        self.assertEqual((wire.reading, publisher.reading, wire.producer), (True, True, None))
        link.deliver(lines(b"late"))
        session.received(b"late\n")
        self.assertEqual((wire.value(), link.counters["late_bytes"]), (b"a\n", 5))
        self.clock.advance(self.runtime.linger)
        self.assertTrue(wire.aborted)
        session.lost(gone())
        self.assertIn("gone: bye; cut after 2 s", self.said())

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
                deliver(session, lines(text[:-1]), text)
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
            deliver(session, lines(text[:-1]), text)
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
                self.writer.transport.write(b"<%s>" % verb.name.encode())

        link = make_link(self.runtime, "dev")
        session, wire = Breaking(link, "dev#1", PLAIN, "dev", link.new_wire()), Wire()
        session.connected(wire)
        wire.room = 1
        for text in (b"a", b"b"):
            deliver(session, lines(text), text)
        outbox(session).offer(Verb("break"))
        deliver(session, lines(b"c"), b"c")
        wire.drain()
        self.assertEqual((wire.value(), session.clear), (b"ab<break>c", True))

    def test_verbs_of_others(self) -> None:
        """A verb that a session does not know ends nothing, whether the session goes on or is being closed."""
        session, wire, channel = join_over(make_link(self.runtime, "web"))
        for closing in (False, True):
            wire.room = 1
            deliver(session, lines(b"a"), b"a")
            deliver(session, lines(b"b"), b"b")
            outbox(session).offer(Verb("break"))
            if closing:
                session.close("enough")
            wire.drain()
        self.assertEqual([asked for asked in channel.asked if asked[0] == "goodbye"], [("goodbye", "enough", False)])
        self.assertEqual((wire.value(), wire.aborted), (b"abab", False))

    def test_close_against_a_non_reader(self) -> None:
        """A peer that takes nothing cannot hold a closing session longer than the linger time."""
        session, wire = join(make_link(self.runtime, "lan"))
        wire.room = 1
        deliver(session, lines(b"a"), b"a\n")
        deliver(session, lines(b"b"), b"b\n")
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
        session.lost(gone("closed"))
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_stalled(self) -> None:
        """Who takes no byte at all for stall_timeout while something waits is cut; who takes a little is not."""
        link = make_link(self.runtime, "lan", stall_timeout=30.0)
        slow, slow_wire = join(link)
        dead, dead_wire = join(link)
        for session, wire in ((slow, slow_wire), (dead, dead_wire)):
            wire.room = -100
            deliver(session, lines(b"a"), b"a\n")
        for _ in range(40):
            slow_wire.pending -= 1
            self.clock.advance(1)
        self.assertEqual((slow_wire.aborted, dead_wire.aborted), (False, True))
        self.assertEqual(link.counters["stalled"], 1)
        dead.lost(gone("cut"))
        self.assertIn("gone: took no byte for 30 s while 102 bytes waited", self.said())

    def test_not_stalled(self) -> None:
        """One that has taken all is not stalled, however long nothing comes for it then, and is looked after no more."""
        session, wire = join(make_link(self.runtime, "lan", stall_timeout=30.0))
        wire.room = 1
        deliver(session, lines(b"a"), b"a\n")
        self.clock.pump([1.0] * 20)
        wire.drain()
        self.clock.pump([1.0] * 100)
        self.assertEqual((wire.aborted, self.clock.getDelayedCalls()), (False, []))

    def test_no_stall_timeout(self) -> None:
        """``stall_timeout = 0`` waits for ever."""
        session, wire = join(make_link(self.runtime, "lan", stall_timeout=0.0))
        wire.room = 1
        deliver(session, lines(b"a"), b"a\n")
        self.clock.pump([10] * 100)
        self.assertFalse(wire.aborted)

    def test_lost_once(self) -> None:
        """An end is told once, however often the transport says so."""
        link = make_link(self.runtime, "lan")
        session, wire = join(link)
        wire.pending = 7
        session.abort("the reason")
        session.abort("another")
        session.lost(gone("gone"))
        session.lost(gone("gone"))
        session.close("late")
        session.abort("late")
        self.assertEqual(self.said().count("gone:"), 1)
        self.assertIn("gone: the reason", self.said())
        self.assertEqual((len(link.sessions), link.counters["unsent_bytes"]), (0, 7))

    def test_nothing_is_left(self) -> None:
        """An ended session leaves no timer, and is freed at once, whatever was under way with it."""
        session, wire, channel = join_over(make_link(self.runtime, "lan"))
        session.pause("full")
        wire.room = 1
        for text in (b"a\n", b"b\n"):
            deliver(session, lines(text[:-1]), text)
        session.close("enough")
        session.lost(gone())
        self.assertEqual(self.clock.getDelayedCalls(), [])
        left = weakref.ref(session)
        del session, wire, channel
        self.assertIsNone(left())

    def test_fault_in_an_answer(self) -> None:
        """A fault of ours in what is for one session alone costs that session, counted, and raises nothing."""
        session, wire = join(make_link(self.runtime, "lan"))
        self.patch(FramedWire, "encode", lambda wire, batch: 1 / 0)
        session.answer(lines(b"a"))
        self.assertEqual((wire.aborted, session.owner.terms.counters["failures"]), (True, 1))

    def test_too_slow_before_it_began(self) -> None:
        """One for which too much waits before its transport is there has ended, and its transport is cut."""
        link = make_link(self.runtime, "lan", outbox={"bytes": 2, "when_full": "disconnect"})
        session, wire = link.new_session(PLAIN), Wire()
        for text in (b"a\n", b"b\n"):
            deliver(session, lines(text[:-1]), text)
        session.connected(wire)
        self.assertEqual((wire.aborted, self.runtime.memory.used), (True, 0))
        self.assertEqual((link.counters["slow_disconnects"], link.counters["failures"]), (1, 0))

    def test_ended_before_it_began(self) -> None:
        """A session that is closed before it is connected has ended, drops what waited for it, and its transport is cut."""
        link = make_link(self.runtime, "lan")
        session, wire = link.new_session(PLAIN), Wire()
        deliver(session, lines(b"a"), b"a\n")
        session.close("the gateway stops")
        session.connected(wire)
        self.assertEqual((wire.aborted, len(link.sessions), self.runtime.memory.used), (True, 0, 0))
        self.assertEqual(link.counters["dropped_packets"], 1)

    def test_ending_is_read_on(self) -> None:
        """A session that is ending is read on, though somebody runs out of room meanwhile."""
        session, wire = join(make_link(self.runtime, "lan"))
        session.close("enough")
        self.runtime.bus.gate(("lan",)).close("full")
        self.assertTrue(wire.reading)
