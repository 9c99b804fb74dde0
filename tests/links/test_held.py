"""A far end that is away: refused, held, back."""

from __future__ import annotations

import json

from gateway.bus.outbox import OVERHEAD
from gateway.links.runtime import Runtime
from gateway.links.session import Session
from gateway.peer import PLAIN

from ..building import Dial, LinkCase, Wire, command, deliver, gone, join, keeper, lines, make_link, make_runtime, outbox


class AbsentTests(LinkCase):
    def test_drop(self) -> None:
        """While the device is absent commands are refused, counted, and never played when it comes back."""
        device = self.device()
        self.runtime.bus.publish(command(b"open valve", "lan#1"))
        _, wire = join(device)
        self.assertEqual((wire.value(), device.counters["refused_packets"]), (b"", 1))
        self.assertIn("[dev] absent: 1 packet from lan#1 refused, and what follows until it is back (when_absent = drop)", self.said())

    def test_sender_is_told(self) -> None:
        """A sender that has a way to hear it is told that its command was refused, and nobody else is."""
        self.device()
        web = make_link(self.runtime, "web", codec="json")
        sender, wire = join(web)
        _, other = join(web)
        sender.received(b'{"text":"open valve"}\n')
        self.assertIn(b'"event":"refused"', wire.value())
        self.assertIn(b'"link":"dev"', wire.value())
        self.assertEqual(other.value(), b"")

    def test_events_are_numbered(self) -> None:
        """Whoever is told of refusals can see that it missed none: they are numbered from 1 for each, whatever others are told."""
        self.device()
        web = make_link(self.runtime, "web", codec="json")
        (one, one_wire), (two, two_wire) = join(web), join(web)
        for sender in (one, two, two, one):
            sender.received(b'{"text":"open valve"}\n')
        for wire in (one_wire, two_wire):
            self.assertEqual([json.loads(line)["seq"] for line in wire.value().splitlines()], [1, 2])

    def test_many_are_told(self) -> None:
        """What is remembered of those who were told is bounded: who has gone is forgotten."""
        device = self.device()
        web = make_link(self.runtime, "web", codec="json")
        for _ in range(2500):
            sender, _wire = join(web)
            sender.received(b'{"text":"open valve"}\n')
            sender.lost(gone("gone"))
        self.assertEqual(device._told, {})

    def test_emptied_at_an_unplug(self) -> None:
        """What was queued for a device when it was unplugged is dropped and counted; the next device does not get it."""
        device = self.device()
        session, wire = join(device)
        wire.room = 1
        for text in (b"a", b"b"):
            deliver(session, command(text, ""), text + b"\n")
        session.lost(gone("unplugged"))
        _, fresh = join(device)
        self.assertEqual((fresh.value(), device.counters["dropped_packets"]), (b"", 1))

    def test_hold(self) -> None:
        """With ``when_absent = hold`` commands wait, within the outbox, and go first when it is back."""
        device = self.device(when_absent="hold", outbox={"bytes": 4, "when_full": "drop-oldest"})
        for text in (b"0", b"1", b"2", b"3"):
            self.runtime.bus.publish(command(text, "lan#1"))
        _, wire = join(device)
        self.runtime.bus.publish(command(b"4", "lan#1"))
        self.assertEqual(wire.value(), b"2\n3\n4\n")
        self.assertEqual(device.counters["dropped_packets"], 2)
        self.assertIn("outbox is full", self.said())

    def test_hold_over_an_unplug(self) -> None:
        """What waited when the device was unplugged is held too; only what was under way is lost, and counted."""
        device = self.device(when_absent="hold")
        self.dial.trial.callback(None)
        session, wire = join(device)
        wire.room = 1
        for text in (b"a", b"b", b"c"):
            deliver(session, command(text, ""), text + b"\n")
        session.lost(gone("unplugged"))
        _, fresh = join(device)
        self.assertEqual((fresh.value(), device.counters["dropped_packets"], device.counters["unsent_bytes"]), (b"b\nc\n", 0, 1))

    def test_accounts(self) -> None:
        """What is held is accounted for: while it waits, when a session leaves it and when the next one has it, and what is given up."""
        outbox = {"packets": 3, "when_full": "drop-oldest"}
        device = self.device(when_absent="hold", outbox=outbox)
        for text in (b"1", b"2", b"3", b"4"):
            self.runtime.bus.publish(command(text, ""))
        held = {"came": 4, "written": 0, "refused": 0, "waiting": 3, "dropped_full": 1, "unaccounted": 0}
        self.assertEqual(device.accounts(), held)
        self.dial.trial.callback(None)
        session, wire = device.new_session(PLAIN), Wire()
        wire.registerProducer = lambda producer, streaming: producer.pauseProducing()  # type: ignore[method-assign]
        session.connected(wire)
        self.assertEqual((device.accounts(), session.writer.account.came), (held, 3))
        session.lost(gone("unplugged"))
        self.assertEqual((device.accounts(), device.ledger.absent.open(3), device.ledger.ended.open(0)), (held, 0, 0))
        device.stop()
        self.assertEqual(device.accounts(), held | {"waiting": 0, "dropped_stopped": 3})

    def test_accounts_of_refusals(self) -> None:
        """What is refused while nobody is there has come, and was refused."""
        device = self.device()
        self.runtime.bus.publish(lines(b"1", b"2", topic="lan"))
        self.assertEqual(device.accounts(), {"came": 2, "written": 0, "refused": 2, "waiting": 0, "unaccounted": 0})

    def test_ended_within_a_write(self) -> None:
        """What was under way is never sent again, also where the device goes while it is written."""
        device = self.device(when_absent="hold")
        self.dial.trial.callback(None)
        session, wire = join(device)
        wire.room = 1
        for text in (b"a" * 40_000, b"b" * 40_000, b"c" * 40_000):
            deliver(session, command(text, ""), text + b"\n")
        wire.write = lambda data: session.lost(gone("unplugged"))  # type: ignore[method-assign]
        wire.drain()
        _, fresh = join(device)
        self.assertEqual(fresh.value(), b"c" * 40_000 + b"\n")
        self.assertEqual(self.runtime.memory.used, 0)

    def test_hold_and_block(self) -> None:
        """With ``block`` besides, nothing is lost: whoever writes too much waits until the device is back."""
        device = self.device(when_absent="hold", outbox={"bytes": 4, "when_full": "block"})
        writer, writer_wire = join(make_link(self.runtime, "lan"))
        writer.received(b"12\n")
        self.assertTrue(writer_wire.reading)
        writer.received(b"34\n56\n")
        self.assertFalse(writer_wire.reading)
        _, wire = join(device)
        self.assertTrue(writer_wire.reading)
        self.assertEqual(wire.value(), b"12\n34\n56\n")

    def test_held_goes_first(self) -> None:
        """What is read in the moment in which whoever waited may go on comes behind what was held."""
        device = self.device(when_absent="hold", outbox={"bytes": 4, "when_full": "block"})
        writer, writer_wire = join(make_link(self.runtime, "lan"))
        writer.received(b"12\n34\n")
        writer.received(b"56\n")
        writer_wire.resumeProducing = lambda: writer.received(b"78\n")  # type: ignore[method-assign]
        self.assertEqual(join(device)[1].value(), b"12\n34\n56\n78\n")

    def test_comes_and_goes(self) -> None:
        """A device that comes, takes nothing and goes, again and again, lets nobody write beyond the limit and one read."""
        device = self.device(when_absent="hold", outbox={"bytes": 8, "when_full": "block"})
        writer, writer_wire = join(make_link(self.runtime, "lan"))
        for _ in range(5):
            self.write_while_it_is_read(writer, writer_wire)
            session, wire = device.new_session(PLAIN), Wire()
            wire.registerProducer = lambda producer, streaming: producer.pauseProducing()  # type: ignore[method-assign]
            session.connected(wire)
            self.dial.trial.callback(None)
            self.write_while_it_is_read(writer, writer_wire)
            self.assertEqual((writer.paused, outbox(session).packets), (True, 3))
            session.lost(gone("unplugged"))
            self.clock.advance(60)
        _, fresh = join(device)
        self.assertEqual((fresh.value(), writer.paused, writer_wire.reading), (b"cmd\n" * 3, False, True))

    def write_while_it_is_read(self, writer: Session, wire: Wire) -> None:
        for _ in range(5):
            if wire.reading:
                writer.received(b"cmd\n")

    def test_close_is_not_held(self) -> None:
        """A session that was to close behind what waited leaves the packets to the next one, and not its close."""
        device = self.device(when_absent="hold")
        self.dial.trial.callback(None)
        session, wire = join(device)
        wire.room = 1
        for text in (b"a", b"b"):
            deliver(session, command(text, ""), text + b"\n")
        session.close("closed by the peer", "eof")
        session.lost(gone("cut"))
        fresh, fresh_wire = device.new_session(PLAIN), Wire()
        fresh_wire.room = 1
        fresh.connected(fresh_wire)
        for text in (b"c", b"d"):
            deliver(fresh, command(text, ""), text + b"\n")
        fresh.close("enough")
        fresh_wire.drain()
        self.assertEqual(fresh_wire.value(), b"b\nc\nd\n")

    def test_hold_over_the_memory(self) -> None:
        """What the memory of all outboxes has no room for is dropped and counted, nobody waits for it, and the link works on."""
        runtime = make_runtime(self.clock, memory=8 + 2 * OVERHEAD)
        device = make_link(runtime, "dev", dial=Dial(), hears=("lan",), when_absent="hold", outbox={"bytes": 4, "when_full": "block"})
        writer, writer_wire = join(make_link(runtime, "lan"))
        writer.received(b"123\n")
        writer.received(b"45678\n")
        self.assertTrue(writer_wire.reading)
        self.assertEqual((runtime.memory.used, device.counters["dropped_packets"]), (0, 2))
        _, wire = join(device)
        writer.received(b"x\n")
        self.assertEqual(wire.value(), b"x\n")

    def test_two_reasons_in_one_offer(self) -> None:
        """What the policy drops is counted also where the newcomer is then too much for the memory of all."""
        runtime = make_runtime(self.clock, memory=1500)
        outbox = {"packets": 3, "when_full": "drop-oldest"}
        device = make_link(runtime, "dev", dial=Dial(), hears=("lan",), when_absent="hold", outbox=outbox)
        runtime.bus.publish(lines(b"1", b"2", b"3", topic="lan"))
        runtime.bus.publish(command(b"4" * 2000, ""))
        self.assertEqual((device.counters["dropped_packets"], runtime.memory.used), (4, 0))

    def test_memory_while_somebody_waits(self) -> None:
        """Whoever waits for a device that is away goes on when what is held for it has been given up."""
        runtime = make_runtime(self.clock, memory=100_000)
        device = make_link(runtime, "dev", dial=Dial(), hears=("lan",), when_absent="hold", outbox={"bytes": 4, "when_full": "block"})
        writer, writer_wire = join(make_link(runtime, "lan"))
        for _ in range(2):
            writer.received(b"x" * 40_000 + b"\n")
        self.assertFalse(writer_wire.reading)
        self.fill(runtime, 50_000)
        self.assertEqual((writer_wire.reading, device.counters["dropped_packets"]), (True, 2))

    def test_memory_after_the_return(self) -> None:
        """What was held and waits again is the session's to give up: it is dropped, counted for it, and nothing else ends."""
        runtime = make_runtime(self.clock, memory=250_000)
        device = make_link(runtime, "dev", dial=Dial(), hears=("lan",), when_absent="hold", outbox={"when_full": "drop-oldest"})
        for text in (b"1", b"2", b"3", b"4"):
            runtime.bus.publish(command(text * 30_000, ""))
        session, wire = device.new_session(PLAIN), Wire()
        wire.room = 1
        session.connected(wire)
        self.assertEqual(len(wire.value()), 60_002)
        for _ in range(3):
            self.fill(runtime, 50_000)
        self.assertEqual((device.counters["dropped_packets"], session.writer.account.lost, wire.aborted), (2, 2, False))

    def test_memory_over_an_unplug(self) -> None:
        """What is held over an unplug can be given up as well, and the next device starts with nothing."""
        runtime = make_runtime(self.clock, memory=100_000)
        self.dial = Dial()
        device = make_link(runtime, "dev", dial=self.dial, hears=("lan",), when_absent="hold", outbox={"when_full": "drop-oldest"})
        self.dial.trial.callback(None)
        session, wire = join(device)
        wire.room = 1
        for text in (b"1", b"2"):
            deliver(session, command(text, ""), text * 60_000)
        session.lost(gone("unplugged"))
        self.fill(runtime, 50_000)
        self.assertEqual(device.counters["dropped_packets"], 1)
        self.assertEqual(join(device)[1].value(), b"")

    def fill(self, runtime: Runtime, size: int) -> None:
        """Let another link's slow session use so much of the memory."""
        session, wire = join(make_link(runtime, "slow"))
        wire.room = 1
        deliver(session, command(b"x", ""), b"x")
        deliver(session, command(b"x", ""), b"x" * (size // 2))
        deliver(session, command(b"x", ""), b"x" * (size // 2))

    def test_held_is_sent(self) -> None:
        """What was held is heard under LINK/$sent when it is written, and counted then; what was dropped meanwhile never is."""
        sent: list[bytes] = []
        device = self.device(when_absent="hold", outbox={"packets": 1, "when_full": "drop-oldest"})
        self.runtime.bus.subscribe(["dev/$sent"], lambda batch: sent.extend(batch.payloads), "test")
        for text in (b"one", b"two"):
            self.runtime.bus.publish(command(text, "lan#1"))
        self.assertEqual(sent, [])
        _, wire = join(device)
        self.assertEqual((sent, wire.value(), device.counters["packets_out"]), ([b"two"], b"two\n", 1))

    def test_absence_is_said_once(self) -> None:
        """A client that polls an absent device fills no log: the first refusal is said, and the sum when it is back."""
        device = self.device()
        for _ in range(500):
            self.runtime.bus.publish(command(b"?", "lan#1"))
        self.assertEqual(self.said().count("refused"), 1)
        join(device)
        self.assertIn("[dev] 500 packets in all were refused while it was absent", self.said())

    def test_each_absence_is_said(self) -> None:
        """Each absence has its own first refusal in the log, and its own sum where there was more than one."""
        device = self.device()
        for refused, sums in ((1, []), (2, ["[dev] 2 packets in all were refused while it was absent"]), (1, [])):
            before = len(self.said())
            for _ in range(refused):
                self.runtime.bus.publish(command(b"?", "lan#1"))
            session, _ = join(device)
            said = self.said()[before:].splitlines()
            self.assertEqual(sum("refused, and what follows" in line for line in said), 1, refused)
            self.assertEqual([line for line in said if "in all" in line], sums)
            session.lost(gone())

    def test_between_two_sessions(self) -> None:
        """What comes when the far end has closed or was given up, and before that is over, is held; its sender is told if it is not."""
        for end in ("closed by the far end", "given up"):
            device = self.device(when_absent="hold")
            session, _ = join(device)
            if end == "given up":
                session.abort(end)
            else:
                session.input_ended()
            self.runtime.bus.publish(command(b"between", "lan#1"))
            self.assertEqual(device.accounts(), {"came": 1, "written": 0, "refused": 0, "waiting": 1, "unaccounted": 0}, end)
            session.lost(gone("gone", clean=True))
            _, fresh = join(device)
            self.assertEqual(fresh.value(), b"between\n", end)
            device.stop()

    def test_between_two_sessions_without_hold(self) -> None:
        """What comes when the far end has closed, and before that is over, is refused to its sender."""
        device = self.device()
        web = make_link(self.runtime, "web", codec="json")
        sender, wire = join(web)
        session, _ = join(device)
        session.input_ended()
        sender.received(b'{"text":"open valve"}\n')
        session.lost(gone("gone", clean=True))
        self.assertIn(b'"reason":"lost"', wire.value())
        _, fresh = join(device)
        self.assertEqual((fresh.value(), device.counters["dropped_packets"], device.accounts()["unaccounted"]), (b"", 1, 0))

    def test_closing_is_not_held(self) -> None:
        """What waits for a session that is being closed, or for a link that has stopped, is dropped, not kept for the next."""
        for end in ("close", "stop"):
            device = self.device(when_absent="hold")
            self.dial.trial.callback(None)
            session, wire = join(device)
            wire.room = 1
            for text in (b"a", b"b"):
                deliver(session, command(text, ""), text + b"\n")
            if end == "close":
                session.close("enough")
            else:
                keeper(device).stop()
            session.lost(gone("gone"))
            self.assertEqual(device.counters["dropped_packets"], 1, end)
            device.stop()

    def test_senders_of_what_was_lost_are_told(self) -> None:
        """Whoever sent what was queued when the device was unplugged is told how much of it was lost."""
        device = self.device()
        sender, wire = join(make_link(self.runtime, "web", codec="json"))
        session, device_wire = join(device)
        device_wire.room = 1
        for text in (b"a", b"b", b"c"):
            sender.received(b'{"text":"%s"}\n' % text)
        session.lost(gone("unplugged"))
        self.assertIn(b'"packets":2,"reason":"lost"', wire.value())

    def test_hold_stopped(self) -> None:
        """Stopping counts what was held, and lets whoever waits go on."""
        device = self.device(when_absent="hold", outbox={"bytes": 4, "when_full": "block"})
        writer, writer_wire = join(make_link(self.runtime, "lan"))
        writer.received(b"12\n34\n")
        writer.received(b"56\n")
        device.stop()
        self.assertTrue(writer_wire.reading)
        self.assertEqual(device.counters["dropped_packets"], 3)
        self.assertEqual(self.runtime.memory.used, 0)

    def test_stopped_after_the_return(self) -> None:
        """What was held is the session's when the device is back: a stop writes it, as all that waits."""
        device = self.device(when_absent="hold")
        for text in (b"1", b"2", b"3"):
            self.runtime.bus.publish(command(text * 40_000, ""))
        session, wire = device.new_session(PLAIN), Wire()
        wire.room = 1
        session.connected(wire)
        device.stop()
        wire.drain()
        self.assertEqual((len(wire.value()), device.counters["dropped_packets"], wire.disconnecting), (120_003, 0, True))

    def test_told_once(self) -> None:
        """What was held is heard under LINK/$sent once, and counted once if it cannot be written, however often the device leaves."""
        sent: list[bytes] = []
        device = self.device(when_absent="hold", framing="fixed", framing_size=3)
        self.runtime.bus.subscribe(["dev/$sent"], lambda batch: sent.extend(batch.payloads), "test")
        for text in (b"cmd", b"too long"):
            self.runtime.bus.publish(command(text, "lan#1"))
        self.dial.trial.callback(None)
        session, wire = device.new_session(PLAIN), Wire()
        wire.registerProducer = lambda producer, streaming: producer.pauseProducing()  # type: ignore[method-assign]
        session.connected(wire)
        session.lost(gone("unplugged"))
        _, fresh = join(device)
        self.assertEqual((sent, fresh.value(), device.counters["unsayable_packets"]), ([b"cmd"], b"cmd", 1))

    def test_never_back(self) -> None:
        """For a far end that is over for good nothing is held, and nobody waits."""
        device = self.device(when_absent="hold", outbox={"bytes": 4, "when_full": "block"})
        writer, writer_wire = join(make_link(self.runtime, "lan"))
        self.dial.comes_back = False
        self.dial.trial.callback(None)
        session, _ = join(device)
        session.lost(gone("the end", clean=True))
        for _ in range(3):
            writer.received(b"12\n34\n")
        self.assertEqual((writer_wire.reading, self.runtime.memory.used, device.counters["refused_packets"]), (True, 0, 6))
