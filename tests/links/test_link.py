"""A link: groups, encoding, answers, traces, limits."""

from __future__ import annotations

from functools import partial
from gc import collect
from typing import Any
from weakref import ref

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.codecs import raw
from gateway.config.plan import LinkPlan
from gateway.framing import fixed
from gateway.framing import lines as lines_framing
from gateway.links.link import Link
from gateway.links.runtime import Runtime
from gateway.links.session import Session
from gateway.packet import Batch, Frames
from gateway.wires import Encoded
from gateway.wires._framed import Form, FramedWire

from .. import building
from ..building import Dial, LinkCase, gone, join, make_link, make_plan, make_runtime

lines = partial(building.lines, end=b"\r\n")


class Counting(Form):
    """Counts how often it encodes."""

    encoded = 0

    def __init__(self) -> None:
        super().__init__(lambda: lines_framing.Framer(lines_framing.Options()), raw.Codec(raw.Options()))

    def encode(self, batch: Batch) -> Encoded:
        self.encoded += 1
        return super().encode(batch)

    def wire(self) -> FramedWire:
        return FramedWire(self)


class Numbering(FramedWire):
    """A wire with a state of its own: it numbers the lines that it writes."""

    said = 0
    representation = None

    def encode(self, batch: Batch) -> Encoded:
        self.said += batch.count
        return Encoded(b"%d lines so far\n" % self.said, batch.count)


class DeliveryTests(LinkCase):
    def test_encodes_once(self) -> None:
        """However many sessions want the same bytes, they are encoded once, and all get the same."""
        form = Counting()
        link = make_link(self.runtime, "lan", new_wire=form.wire, hears=("gps",))
        wires = [join(link)[1] for _ in range(5)]
        self.runtime.bus.publish(lines(b"a", b"b"))
        self.assertEqual(({wire.value() for wire in wires}, form.encoded), ({b"a\nb\n"}, 1))
        self.assertEqual(link.counters["packets_out"], 10)

    def test_other_representation(self) -> None:
        """Sessions that want other bytes are another group, encoded once for themselves."""
        one, other = Counting(), Counting()
        other.representation = "other"
        forms = iter((one, other, one, other))
        link = make_link(self.runtime, "lan", new_wire=lambda: next(forms).wire(), hears=("gps",))
        wires = [join(link)[1] for _ in range(4)]
        self.runtime.bus.publish(lines(b"a"))
        self.assertEqual(([wire.value() for wire in wires], one.encoded, other.encoded), ([b"a\n"] * 4, 1, 1))

    def test_own_state(self) -> None:
        """A wire with a representation of None makes of each batch what only it can, in the order in which it is written."""
        form = Counting()
        link = make_link(self.runtime, "lan", new_wire=lambda: Numbering(form), hears=("gps",))
        (_, quick), (_, slow) = join(link), join(link)
        slow.room = 1
        for _ in range(3):
            self.runtime.bus.publish(lines(b"a", b"b"))
        self.assertEqual((quick.value(), slow.value()), (b"2 lines so far\n4 lines so far\n6 lines so far\n", b"2 lines so far\n"))
        slow.drain()
        self.assertEqual((slow.value(), link.counters["packets_out"], form.encoded), (quick.value(), 12, 0))

    def test_groups_for_themselves(self) -> None:
        """Each group hears what it can, whether the one before is the sender alone, can say none of it, or encodes for itself."""
        two = Form(lambda: fixed.Framer(fixed.Options(size=2)), raw.Codec(raw.Options()))
        sending = Counting()
        two.representation, sending.representation = "two", "sending"
        wires = iter((FramedWire(sending), FramedWire(two), Numbering(Counting()), FramedWire(Counting())))
        link = make_link(self.runtime, "chat", hears=("chat",), new_wire=lambda: next(wires))
        (sender, own), *others = (join(link) for _ in range(4))
        sender.received(b"hello\n")
        self.assertEqual([own.value(), *(wire.value() for _, wire in others)], [b"", b"", b"1 lines so far\n", b"hello\n"])

    def test_slow_sessions_share(self) -> None:
        """What waits for many slow sessions is encoded once, too."""
        form = Counting()
        link = make_link(self.runtime, "lan", new_wire=form.wire, hears=("gps",))
        wires = [join(link)[1] for _ in range(3)]
        for wire in wires:
            wire.room = 1
        for text in (b"a", b"b"):
            self.runtime.bus.publish(lines(text))
        for wire in wires:
            wire.drain()
        self.assertEqual(({wire.value() for wire in wires}, form.encoded), ({b"a\nb\n"}, 2))

    def test_whoever_has_gone(self) -> None:
        """Nothing is for a session that has ended, and nothing is counted as dropped for it."""
        link = make_link(self.runtime, "lan", hears=("gps",))
        (gone_one, _), (_, wire) = join(link), join(link)
        gone_one.lost(gone())
        self.runtime.bus.publish(lines(b"a"))
        self.assertEqual((wire.value(), link.counters["packets_out"], link.counters["dropped_packets"]), (b"a\n", 1, 0))

    def test_received_is_counted(self) -> None:
        """What sessions send that is heard is counted, in packets and in bytes as they came."""
        link = make_link(self.runtime, "lan")
        self.runtime.bus.subscribe(["lan"], lambda batch: None, "test")
        for _ in range(2):
            join(link)[0].received(b"a\r\nbc\r\n")
        self.assertEqual((link.counters["packets_in"], link.counters["bytes_in"]), (4, 14))

    def test_verbatim(self) -> None:
        """A raw reader gets the bytes as they were received, delimiters and all."""
        link = make_link(self.runtime, "lan", hears=("gps",), verbatim=True)
        _, wire = join(link)
        self.runtime.bus.publish(lines(b"a", b"b"))
        self.assertEqual(wire.value(), b"a\r\nb\r\n")

    def test_not_to_its_origin(self) -> None:
        """A packet never goes back to the session that it came from, even if its link hears itself through another's filter."""
        link = make_link(self.runtime, "chat", hears=("chat",))
        one, one_wire = join(link)
        _, two_wire = join(link)
        one.received(b"hi\n")
        self.assertEqual((one_wire.value(), two_wire.value()), (b"", b"hi\n"))

    def test_unsayable(self) -> None:
        """A packet that the reader's framing cannot carry is skipped and counted; those beside it go."""
        link = make_link(self.runtime, "lan", hears=("gps",), framing="fixed", framing_size=2)
        _, wire = join(link)
        self.runtime.bus.publish(lines(b"ab", b"long", b"cd"))
        self.assertEqual((wire.value(), link.counters["unsayable_packets"]), (b"abcd", 1))
        self.assertIn("[lan]", self.said())

    def test_unsayable_is_not_counted_as_written(self) -> None:
        """The counter of what was written leaves out what could not be."""
        link = make_link(self.runtime, "lan", hears=("gps",), framing="fixed", framing_size=2)
        join(link)
        join(link)
        self.runtime.bus.publish(lines(b"ab", b"long", b"cd"))
        self.assertEqual(link.counters["packets_out"], 4)

    def test_unsayable_is_accounted_for(self) -> None:
        """What cannot be said is refused to each reader but the one it came from, whether that one is clear, waits, or was held for."""
        link = make_link(self.runtime, "lan", hears=("gps",), framing="fixed", framing_size=2)
        origin, _ = join(link)
        join(link)
        _, wire = join(link)
        wire.room = 0
        for _ in range(2):
            link.deliver(lines(b"ab", b"long", b"cd", origin=origin.id))
        counts = {"came": 12, "written": 6, "refused": 4, "waiting": 2, "unaccounted": 0}
        self.assertEqual(link.accounts(), counts)
        wire.drain()
        self.assertEqual(link.accounts(), counts | {"written": 8, "waiting": 0})
        link.deliver(lines(b"long", origin=origin.id))
        self.assertEqual(link.accounts(), counts | {"came": 14, "written": 8, "refused": 6, "waiting": 0})

    def test_how_long_packets_took(self) -> None:
        """Each packet counts, not each write: those that waited, and those for one reader alone, too."""
        link = make_link(self.runtime, "lan", hears=("gps",))
        join(link)
        session, wire = join(link)
        link.deliver(lines(b"a", b"b"))
        wire.room = 0
        link.deliver(lines(b"c", b"d", b"e"))
        link.deliver(lines(b"f", b"g"))
        wire.drain()
        session.answer(lines(b"h"))
        self.assertEqual((len(link.ledger.delays), link.counters["packets_out"]), (15, 15))

    def test_fault_in_one_session(self) -> None:
        """A fault of ours in one session ends that one, logged; the others get the packet."""
        link = make_link(self.runtime, "lan", hears=("gps",))
        (_, one), (_, two), (_, three) = (join(link) for _ in range(3))
        two.write = lambda data: 1 / 0  # type: ignore[method-assign,assignment,return-value]
        self.runtime.bus.publish(lines(b"a"))
        self.assertEqual((one.value(), three.value(), two.aborted, one.aborted), (b"a\n", b"a\n", True, False))
        self.assertTrue(any("failed while writing" in line for line in self.runtime.lines))  # type: ignore[attr-defined]

    def test_fault_while_reading(self) -> None:
        """The same for what comes in."""
        link = make_link(self.runtime, "lan")
        self.runtime.bus.subscribe(["lan"], lambda batch: None, "test")
        session, wire = join(link)
        self.patch(link, "heard", lambda *_: 1 / 0)
        session.received(b"a\n")
        self.assertTrue(wire.aborted)

    def test_not_written_not_sent(self) -> None:
        """What reached no session but its own is neither counted as written nor heard under LINK/$sent."""
        link = make_link(self.runtime, "chat", hears=("#",))
        sent: list[Batch] = []
        self.runtime.bus.subscribe(["chat/$sent"], sent.append, "test")
        session, _ = join(link)
        session.received(b"hi\n")
        self.assertEqual((sent, link.counters["packets_out"]), ([], 0))

    def test_answer_to_one_that_encodes_for_itself(self) -> None:
        """An answer reaches a session with a representation of None too."""
        session, wire = join(make_link(self.runtime, "lan", new_wire=lambda: Numbering(Counting())))
        self.runtime.bus.publish(Batch("gauge", "r", 1, 0, "gauge#1", Frames(b"42\n", 1, (b"42",)), session.id))
        self.assertEqual(wire.value(), b"1 lines so far\n")

    def test_answer_goes_to_the_asker(self) -> None:
        """A batch with an address reaches that session alone, in its own representation."""
        link = make_link(self.runtime, "lan")
        asker, asker_wire = join(link)
        _, other_wire = join(link)
        batch = lines(b"42", origin="gauge#1", topic="gauge")
        batch.to = asker.id
        self.runtime.bus.publish(batch)
        self.assertEqual((asker_wire.value(), other_wire.value()), (b"42\n", b""))

    def test_answer_for_one_that_has_gone(self) -> None:
        """An answer whose asker has gone is given back; one whose asker goes while it waits for its turn is counted, and said."""
        session, _ = join(make_link(self.runtime, "lan"))
        batch = lines(b"42", b"43", topic="gauge")
        batch.to = session.id

        def leave(_: Batch) -> None:
            self.assertTrue(self.runtime.bus.publish(batch))
            session.lost(gone("gone"))

        self.runtime.bus.subscribe(["question"], leave, "test")
        self.runtime.bus.publish(lines(b"?", topic="question"))
        self.assertFalse(self.runtime.bus.publish(batch))
        self.assertEqual(self.runtime.counters["undelivered_packets"], 2)
        self.assertIn("2 packets of gauge for lan#1 dropped: it has gone", self.said())

    def test_changed_representation(self) -> None:
        """A session that wants other bytes by now leaves as any other."""
        link = make_link(self.runtime, "lan", hears=("gps",))
        session, _ = join(link)
        wire: Any = session.wire
        wire._form.representation = "binary"
        session.lost(gone("gone"))
        self.assertEqual(len(link.sessions), 0)

    def test_events_only_where_they_can_be_said(self) -> None:
        """What is not data is never put between the data of a raw session; a JSON session can be told."""
        raw, json = make_link(self.runtime, "lan"), make_link(self.runtime, "web", codec="json")
        for link, told in ((raw, False), (json, True)):
            session, wire = join(link)
            batch = Batch("gauge/$events", "run", 0, 0, "", Frames(b"x", 1, (b"x",)), session.id)
            self.assertEqual(self.runtime.bus.publish(batch), told)
            self.assertEqual(bool(wire.value()), told)

    def test_sent(self) -> None:
        """What was written to a link is heard under LINK/$sent by those who name it, and only by them."""
        make_link(self.runtime, "dev", hears=("lan",))
        sent: list[bytes] = []
        everything: list[str] = []
        device = make_link(self.runtime, "scale", hears=("lan",))
        join(device)
        self.runtime.bus.subscribe(["scale/$sent"], lambda batch: sent.extend(batch.payloads), "test")
        self.runtime.bus.subscribe(["#", "scale"], lambda batch: everything.append(batch.topic), "test")
        self.runtime.bus.publish(lines(b"tare", topic="lan"))
        self.assertEqual((sent, everything), ([b"tare"], ["lan"]))

    def test_sent_by_itself(self) -> None:
        """What is written to sessions that encode for themselves is heard under LINK/$sent as well."""
        join(make_link(self.runtime, "scale", hears=("lan",), new_wire=lambda: Numbering(Counting())))
        sent: list[bytes] = []
        self.runtime.bus.subscribe(["scale/$sent"], lambda batch: sent.extend(batch.payloads), "test")
        self.runtime.bus.publish(lines(b"tare", topic="lan"))
        self.assertEqual(sent, [b"tare"])

    def test_sent_once(self) -> None:
        """What waited for a device that goes, and is written to the next, is heard under LINK/$sent once."""
        device = self.device(when_absent="hold")
        self.dial.trial.callback(None)
        session, wire = join(device)
        wire.room = 1
        sent: list[bytes] = []
        self.runtime.bus.subscribe(["dev/$sent"], lambda batch: sent.extend(batch.payloads), "test")
        for text in (b"a", b"b"):
            self.runtime.bus.publish(lines(text, topic="lan"))
        session.lost(gone("unplugged"))
        self.assertEqual((join(device)[1].value(), sent), (b"b\n", [b"a", b"b"]))

    def test_sent_is_what_could_be_written(self) -> None:
        """What could not be written is not heard under LINK/$sent."""
        device = make_link(self.runtime, "scale", hears=("lan",), framing="fixed", framing_size=2)
        join(device)
        sent: list[bytes] = []
        self.runtime.bus.subscribe(["scale/$sent"], lambda batch: sent.extend(batch.payloads), "test")
        self.runtime.bus.publish(lines(b"ab", b"long", b"cd", topic="lan"))
        self.assertEqual(sent, [b"ab", b"cd"])

    def test_sent_keeps_fields(self) -> None:
        """What is heard under LINK/$sent has the fields of each packet, also where one between them could not be written."""
        device = make_link(self.runtime, "scale", hears=("lan",), framing="fixed", framing_size=2)
        join(device)
        sent: list[Batch] = []
        self.runtime.bus.subscribe(["scale/$sent"], sent.append, "test")
        for texts in ((b"ab", b"cd"), (b"ab", b"long", b"cd")):
            batch = lines(*texts, topic="lan")
            batch.frames.fields = [{"text": text} for text in texts]
            self.runtime.bus.publish(batch)
        self.assertEqual([batch.fields for batch in sent], [[{"text": b"ab"}, {"text": b"cd"}]] * 2)

    def test_many_nobody(self) -> None:
        """A listener without clients misses nobody: nothing is counted as lost."""
        link = make_link(self.runtime, "lan", hears=("gps",))
        self.runtime.bus.publish(lines(b"a"))
        self.assertEqual(dict(link.counters), {})


class CodecTests(SynchronousTestCase):
    def test_bad_packets(self) -> None:
        """A packet that the codec cannot read is dropped and counted, forwarded, or logged each, as on_bad says; else one line a read."""
        for on_bad, expected, lines_said in (("drop", [], 1), ("forward", [b"zz"] * 8, 1), ("log", [], 8)):
            runtime = make_runtime()
            link = make_link(runtime, "lan", codec="hex", on_bad=on_bad)
            heard: list[bytes] = []
            runtime.bus.subscribe(["lan"], lambda batch, heard=heard: heard.extend(batch.payloads), "test")  # type: ignore[misc]
            session, _ = join(link)
            session.received(b"zz\n" * 8)
            self.assertEqual((heard, link.counters["bad_packets"]), (expected, 8))
            self.assertEqual(sum("unreadable" in line for line in runtime.lines), lines_said)  # type: ignore[attr-defined]

    def test_decoded_payload(self) -> None:
        """What a client writes in hex is heard as bytes."""
        runtime = make_runtime()
        heard: list[Batch] = []
        runtime.bus.subscribe(["lan"], heard.append, "test")
        session, _ = join(make_link(runtime, "lan", codec="hex"))
        session.received(b"0d0a\nff\n")
        self.assertEqual((list(heard[0].payloads), heard[0].data), ([b"\r\n", b"\xff"], b"\r\n\xff"))

    def test_fields(self) -> None:
        """A JSON object is its own payload, as received, and its fields."""
        runtime = make_runtime()
        heard: list[Batch] = []
        runtime.bus.subscribe(["lan"], heard.append, "test")
        session, _ = join(make_link(runtime, "lan", codec="json"))
        session.received(b'{"t":21.5}\n')
        self.assertEqual((heard[0].data, heard[0].fields), (b'{"t":21.5}\n', [{"t": 21.5}]))


class LifeTests(LinkCase):
    def test_idle(self) -> None:
        """A session on which nothing moves for idle_timeout is ended; one that hears or says something is not."""
        link = make_link(self.runtime, "lan", hears=("gps",), idle_timeout=10.0)
        quiet, quiet_wire = join(link)
        busy, busy_wire = join(link)
        self.runtime.bus.subscribe(["lan"], lambda batch: None, "test")
        for _ in range(25):
            busy.received(b"x\n")
            self.clock.advance(1)
        self.assertEqual((quiet_wire.disconnecting, busy_wire.disconnecting), (True, False))
        quiet.lost(gone("cut"))
        self.assertIn("idle_timeout", "\n".join(self.runtime.lines))  # type: ignore[attr-defined]

    def test_hearing_is_moving(self) -> None:
        """A session that only hears is not idle while it hears something."""
        link = make_link(self.runtime, "lan", hears=("gps",), idle_timeout=10.0)
        _, wire = join(link)
        for _ in range(25):
            self.runtime.bus.publish(lines(b"a"))
            self.clock.advance(1)
        self.assertFalse(wire.disconnecting)

    def test_idle_fault(self) -> None:
        """A session whose end as idle fails is cut, and the others of its link are ended all the same."""
        link = make_link(self.runtime, "lan", idle_timeout=10.0)
        _, bad_wire = join(link)
        _, good_wire = join(link)
        bad_wire.unregisterProducer = lambda: 1 / 0  # type: ignore[method-assign,return-value,assignment]
        self.clock.pump([10.0] * 3)
        self.assertEqual((bad_wire.aborted, good_wire.disconnecting, link.counters["idle"]), (True, True, 2))
        self.assertEqual(link.counters["failures"], 1)
        self.assertIn("failed while ending it as idle", self.said())

    def test_idle_and_gone(self) -> None:
        """A session that has ended is idle no more, nor is one that still writes when the gateway stops: neither is told as such."""
        link = make_link(self.runtime, "lan", idle_timeout=0.5)
        (first, _), (last, _) = join(link), join(link)
        first.lost(gone())
        link.stop()
        self.clock.pump([0.5] * 3)
        last.lost(gone("closed"))
        self.assertEqual((link.counters["idle"], self.clock.getDelayedCalls()), (0, []))

    def test_gone_before_it_was_idle(self) -> None:
        """A session that has ended is not told as idle later, while others live."""
        link = make_link(self.runtime, "lan", idle_timeout=0.5)
        (first, _), (other, _) = join(link), join(link)
        first.lost(gone())
        for _ in range(3):
            other.received(b"x\n")
            self.clock.advance(0.5)
        self.assertEqual(link.counters["idle"], 0)

    def test_fault_in_opening(self) -> None:
        """A fault of ours while a session begins ends that session, logged, and nothing else."""

        class Broken(Dial):
            def opened(self, link: Link, session: Session) -> None:
                raise ValueError("no")

        link = make_link(self.runtime, "dev", dial=Broken())
        _, wire = join(link)
        self.assertEqual((wire.aborted, link.counters["failures"]), (True, 1))
        self.assertIn("failed while opening", self.said())

    def test_run(self) -> None:
        """Each link has a run of eight hexadecimal digits, by which a reader sees that the numbers began anew."""
        one, two = make_link(self.runtime, "lan"), make_link(self.runtime, "lan")
        self.assertRegex(one.run, r"\A[0-9a-f]{8}\Z")
        self.assertNotEqual(one.run, two.run)

    def test_stopped_and_forgotten(self) -> None:
        """Of a link that has stopped nothing is kept by what all links share."""
        link = make_link(self.runtime, "lan", hears=("gps",))
        link.stop()
        kept = ref(link)
        del link
        collect()
        self.assertIsNone(kept())

    def test_idle_newcomer(self) -> None:
        """One that came just before a sweep is not idle yet; without sessions no timer runs."""
        link = make_link(self.runtime, "lan", idle_timeout=10.0)
        first, _ = join(link)
        self.clock.advance(9.9)
        late, wire = join(link)
        self.clock.advance(0.2)
        self.assertFalse(wire.disconnecting)
        self.clock.advance(20)
        self.assertTrue(wire.disconnecting)
        for session in (first, late):
            session.lost(gone())
        self.assertEqual(self.clock.getDelayedCalls(), [])

    def test_demand(self) -> None:
        """A link wants what it hears while it has sessions, and no longer."""
        counts: list[int] = []
        self.runtime.demand.watch("gps", (), counts.append)
        link = make_link(self.runtime, "lan", hears=("gps",))
        (one, _), (two, _) = join(link), join(link)
        one.lost(gone("gone"))
        two.lost(gone("gone"))
        self.assertEqual(counts, [0, 1, 0])

    def test_stop(self) -> None:
        """Stopping hears no more, flushes, closes every session, fires when all have gone, and leaves no timer."""
        link = make_link(self.runtime, "lan", hears=("gps",), idle_timeout=10.0)
        session, wire = join(link)
        stopped = link.stop()
        self.runtime.bus.publish(lines(b"late"))
        self.assertNoResult(stopped)
        self.assertTrue(wire.disconnecting)
        self.assertEqual(link.counters["dropped_packets"], 0)
        session.lost(gone("closed"))
        self.successResultOf(stopped)
        self.assertEqual((wire.value(), self.clock.getDelayedCalls()), (b"", []))

    def test_stop_not_waited_for(self) -> None:
        """Whoever waits no longer for a session that does not end leaves no error behind."""
        link = make_link(self.runtime, "lan")
        join(link)
        stopped = link.stop()
        stopped.addErrback(lambda reason: None)
        stopped.cancel()
        del stopped, link
        collect()
        self.assertEqual(self.flushLoggedErrors(), [])

    def test_stop_at_once(self) -> None:
        """A session that ends within its own close is waited for no longer."""
        link = make_link(self.runtime, "lan")
        session, wire = join(link)
        wire.loseConnection = lambda: session.lost(gone("closed"))  # type: ignore[method-assign]
        self.successResultOf(link.stop())

    def test_stop_without_sessions(self) -> None:
        """A link without sessions has stopped at once."""
        self.successResultOf(make_link(self.runtime, "lan").stop())

    def test_trace(self) -> None:
        """``trace`` logs each packet with its direction and peer, even if nobody hears it."""
        link = make_link(self.runtime, "lan", hears=("gps",), trace="hex")
        session, _ = join(link, "10.0.0.7:9")
        session.received(b"\x02\n")
        self.runtime.bus.publish(lines(b"a"))
        said = [line for line in self.runtime.lines if "packet:" in line]  # type: ignore[attr-defined]
        self.assertEqual(said, ["[lan] 10.0.0.7:9: received packet:[0x02]", "[lan] 10.0.0.7:9: write packet:[0x61]"])

    def test_trace_rate(self) -> None:
        """``trace_rate`` bounds the packets that are logged, and counts the others; without it every packet is logged."""
        for rate, logged in ((None, 100), (10.0, 10)):
            runtime = make_runtime(Clock())
            runtime.reactor.advance(1000)
            link = make_link(runtime, "lan", trace="hex", trace_rate=rate)
            session, _ = join(link)
            session.received(b"x\n" * 100)
            self.assertEqual(sum("packet:" in line for line in runtime.lines), logged)  # type: ignore[attr-defined]
            self.assertEqual(link.counters["untraced_packets"], 100 - logged)

    def test_plans_compare(self) -> None:
        """Two plans of the same configuration are equal, one with another option is not: a reload can leave a link alone."""
        self.assertEqual(make_plan("a", framing_max=100), make_plan("a", framing_max=100))
        self.assertNotEqual(make_plan("a", framing_max=100), make_plan("a", framing_max=101))

    def test_hearer_failure_is_logged(self) -> None:
        """A link whose encoding fails is reported, and the others hear."""

        class Broken(Numbering):
            representation = "broken"  # type: ignore[assignment]

            def encode(self, batch: Batch) -> Encoded:
                raise ValueError("no")

        join(make_link(self.runtime, "broken", new_wire=lambda: Broken(Counting()), hears=("gps",)))
        _, wire = join(make_link(self.runtime, "good", hears=("gps",)))
        self.runtime.bus.publish(lines(b"a"))
        self.assertEqual(wire.value(), b"a\n")
        self.assertTrue(any("[broken] failed" in line for line in self.runtime.lines))  # type: ignore[attr-defined]

    def test_hearer_failures_fill_no_log(self) -> None:
        """A hearer that fails at every packet costs a few lines of log, however many packets there are."""
        self.runtime.bus.subscribe(["gps"], lambda batch: 1 / 0, "broken")  # type: ignore[arg-type,return-value]
        for _ in range(1000):
            self.runtime.bus.publish(lines(b"a"))
        self.assertLess(len(self.runtime.lines), 10)  # type: ignore[attr-defined]


class RewireTests(SynchronousTestCase):
    def test_other_filters(self) -> None:
        """A link that is rewired hears what it is told to, and no more what it heard before; its sessions stay."""
        runtime = make_runtime()
        link = make_link(runtime, "lan", hears=("gps",))
        _, wire = join(link)
        link.rewire(("meter",))
        runtime.bus.publish(lines(b"a"))
        runtime.bus.publish(lines(b"b", topic="meter"))
        self.assertEqual(wire.value(), b"b\n")

    def test_no_room(self) -> None:
        """Whoever publishes to a session without room waits for it after a rewiring as before, and goes on when nobody hears it."""
        runtime = make_runtime()
        link = make_link(runtime, "lan", hears=("gps",), outbox={"bytes": 2, "when_full": "block"})
        (_, gps), (_, meter) = (join(make_link(runtime, name)) for name in ("gps", "meter"))
        _, wire = join(link)
        wire.room = 1
        for _ in range(3):
            runtime.bus.publish(lines(b"abc"))
        self.assertEqual((gps.reading, meter.reading), (False, True))
        link.rewire(("meter",))
        self.assertEqual((gps.reading, meter.reading), (True, False))
        wire.drain()
        self.assertTrue(meter.reading)


class PlanTests(SynchronousTestCase):
    def test_topic(self) -> None:
        """A link's topic is its name unless it says another."""
        self.assertEqual(make_plan("a").topic, "a")
        self.assertEqual(make_plan("a", topic="b/c").topic, "b/c")
        self.assertIsInstance(make_plan("a"), LinkPlan)
        self.assertIsInstance(make_runtime(), Runtime)


class FaultTests(SynchronousTestCase):
    def test_encoding_fails(self) -> None:
        """An encoding that fails is counted."""
        runtime = make_runtime()
        link = make_link(runtime, "lan", hears=("gps",))
        join(link)
        self.patch(FramedWire, "encode", lambda wire, batch: 1 / 0)
        runtime.bus.publish(lines(b"a"))
        self.assertEqual(runtime.counters["failures"], 1)

    def test_nobody_to_tell(self) -> None:
        """What only its own sender would hear is not encoded, and nothing is reported of it."""
        runtime = make_runtime()
        link = make_link(runtime, "chat", hears=("chat",), framing="fixed", framing_size=2)
        session, _ = join(link)
        runtime.bus.publish(lines(b"long", topic="chat", origin=session.id))
        self.assertEqual(link.counters["unsayable_packets"], 0)
