"""A link with one far end: absent, held, back."""

from __future__ import annotations

import json
from typing import Any

from twisted.internet.defer import Deferred
from twisted.internet.error import ConnectionRefusedError
from twisted.internet.protocol import Protocol
from twisted.internet.task import Clock
from twisted.internet.testing import StringTransport
from twisted.trial.unittest import SynchronousTestCase

from gateway.bus.outbox import OVERHEAD
from gateway.links.connector import DialingLink, KeptLink
from gateway.links.runtime import Runtime
from gateway.links.session import Session
from gateway.packet import Batch, Frames
from gateway.tls.failures import TlsFailed

from ..building import Wire, join, make_link, make_plan, make_runtime


class Device(KeptLink):
    """A device whose attempts end as the test says."""

    def place(self) -> str:
        return "/dev/x"

    def attempt(self) -> Deferred[Any]:
        self.trial: Deferred[Any] = Deferred()
        return self.trial


def command(text: bytes, origin: str) -> Batch:
    return Batch("lan", "run", 1, 0, origin, Frames(text + b"\n", 1, (text,)))


class AbsentTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.clock = Clock()
        self.runtime = make_runtime(self.clock)

    def said(self) -> str:
        return "\n".join(self.runtime.lines)  # type: ignore[attr-defined]

    def device(self, **options: Any) -> Device:
        return make_link(self.runtime, "dev", link_class=Device, hears=("lan", "web"), **options)  # type: ignore[return-value]

    def test_drop(self) -> None:
        """While the device is absent commands are refused, counted, and never played when it comes back."""
        device = self.device()
        self.runtime.bus.publish(command(b"open valve", "lan#1"))
        _, wire = join(device)
        self.assertEqual((wire.value(), device.counters["refused_packets"]), (b"", 1))
        self.assertIn("[dev] absent: 1 packets from lan#1 refused, and what follows until it is back (when_absent = drop)", self.said())

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
            sender.lost("gone", clean=False)
        self.assertLessEqual(len(device._events_told), 1001)

    def test_emptied_at_an_unplug(self) -> None:
        """What was queued for a device when it was unplugged is dropped and counted; the next device does not get it."""
        device = self.device()
        session, wire = join(device)
        wire.room = 1
        for text in (b"a", b"b"):
            session.deliver(command(text, ""), text + b"\n")
        session.lost("unplugged", clean=False)
        _, fresh = join(device)
        self.assertEqual((fresh.value(), device.counters["dropped_packets"]), (b"", 1))

    def test_hold(self) -> None:
        """With ``when_absent = hold`` commands wait, within the outbox, and go first when it is back."""
        device = self.device(when_absent="hold", outbox={"bytes": 4, "when_full": "drop-oldest"})
        for text in (b"1", b"2", b"3"):
            self.runtime.bus.publish(command(text, "lan#1"))
        _, wire = join(device)
        self.runtime.bus.publish(command(b"4", "lan#1"))
        self.assertEqual(wire.value(), b"2\n3\n4\n")
        self.assertEqual(device.counters["dropped_packets"], 1)
        self.assertIn("outbox is full", self.said())

    def test_hold_over_an_unplug(self) -> None:
        """What waited when the device was unplugged is held too; only what was under way is lost, and counted."""
        device = self.device(when_absent="hold")
        device.trial.callback(None)
        session, wire = join(device)
        wire.room = 1
        for text in (b"a", b"b", b"c"):
            session.deliver(command(text, ""), text + b"\n")
        session.lost("unplugged", clean=False)
        _, fresh = join(device)
        self.assertEqual((fresh.value(), device.counters["dropped_packets"], device.counters["unsent_bytes"]), (b"b\nc\n", 0, 1))

    def test_hold_and_block(self) -> None:
        """With ``block`` besides, nothing is lost: whoever writes too much waits until the device is back."""
        device = self.device(when_absent="hold", outbox={"bytes": 4, "when_full": "block"})
        writer, writer_wire = join(make_link(self.runtime, "lan"))
        writer.received(b"12\n34\n")
        writer.received(b"56\n")
        self.assertFalse(writer_wire.reading)
        _, wire = join(device)
        self.assertTrue(writer_wire.reading)
        self.assertEqual(wire.value(), b"12\n34\n56\n")

    def test_hold_over_the_memory(self) -> None:
        """What the memory of all outboxes has no room for is dropped and counted, nobody waits for it, and the link works on."""
        runtime = make_runtime(self.clock, memory=8 + 2 * OVERHEAD)
        device = make_link(runtime, "dev", link_class=Device, hears=("lan",), when_absent="hold", outbox={"bytes": 4, "when_full": "block"})
        writer, writer_wire = join(make_link(runtime, "lan"))
        writer.received(b"123\n")
        writer.received(b"45678\n")
        self.assertTrue(writer_wire.reading)
        self.assertEqual((runtime.memory.used, device.counters["dropped_packets"]), (0, 2))
        _, wire = join(device)
        writer.received(b"x\n")
        self.assertEqual(wire.value(), b"x\n")

    def test_memory_after_the_return(self) -> None:
        """What was held and waits again is the session's to give up: it is dropped, counted for it, and nothing else ends."""
        runtime = make_runtime(self.clock, memory=200_000)
        device = make_link(runtime, "dev", link_class=Device, hears=("lan",), when_absent="hold", outbox={"when_full": "drop-oldest"})
        for text in (b"1", b"2", b"3", b"4"):
            runtime.bus.publish(command(text * 30_000, ""))
        session, wire = Session(device, "/dev/x"), Wire()
        wire.room = 1
        session.connected(wire)
        self.assertEqual(len(wire.value()), 60_002)
        for _ in range(3):
            self.fill(runtime, 50_000)
        self.assertEqual((device.counters["dropped_packets"], session.dropped, wire.aborted), (2, 2, False))

    def test_memory_over_an_unplug(self) -> None:
        """What is held over an unplug can be given up as well, and the next device starts with nothing."""
        runtime = make_runtime(self.clock, memory=100_000)
        device = make_link(runtime, "dev", link_class=Device, hears=("lan",), when_absent="hold", outbox={"when_full": "drop-oldest"})
        device.trial.callback(None)  # type: ignore[attr-defined]
        session, wire = join(device)
        wire.room = 1
        for text in (b"1", b"2"):
            session.deliver(command(text, ""), text * 60_000)
        session.lost("unplugged", clean=False)
        self.fill(runtime, 50_000)
        self.assertEqual(device.counters["dropped_packets"], 1)
        self.assertEqual(join(device)[1].value(), b"")

    def fill(self, runtime: Runtime, size: int) -> None:
        """Let another link's slow session use so much of the memory."""
        session, wire = join(make_link(runtime, "slow"))
        wire.room = 1
        session.deliver(command(b"x", ""), b"x")
        session.deliver(command(b"x", ""), b"x" * (size // 2))
        session.deliver(command(b"x", ""), b"x" * (size // 2))

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

    def test_closing_is_not_held(self) -> None:
        """What waits for a session that is being closed, or for a link that has stopped, is dropped, not kept for the next."""
        for end in ("close", "stop"):
            device = self.device(when_absent="hold")
            device.trial.callback(None)
            session, wire = join(device)
            wire.room = 1
            for text in (b"a", b"b"):
                session.deliver(command(text, ""), text + b"\n")
            if end == "close":
                session.close("enough")
            else:
                device.keeper.stop()
            session.lost("gone", clean=False)
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
        session.lost("unplugged", clean=False)
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

    def test_kept(self) -> None:
        """A session that ends is followed by another attempt, and a stopped link makes none."""
        device = self.device()
        device.trial.callback(None)
        session, _ = join(device)
        session.lost("unplugged: Input/output error", clean=False)
        first = device.trial
        self.clock.advance(2)
        self.assertIsNot(device.trial, first)
        device.stop()
        self.assertEqual(self.clock.getDelayedCalls(), [])
        self.assertIn("[dev] /dev/x: unplugged: Input/output error; it is tried again until it is there", self.said())


class Endpoint:
    """An endpoint whose connection comes when the test says so."""

    def __init__(self, dialed: list[Any]) -> None:
        self.dialed = dialed

    def connect(self, factory: Any) -> Deferred[Any]:
        self.factory = factory
        self.result: Deferred[Any] = Deferred(lambda _: None)
        self.dialed.append(self)
        return self.result

    def succeed(self) -> StringTransport:
        transport = StringTransport()
        protocol = self.factory.buildProtocol(None)
        protocol.makeConnection(transport)
        self.result.callback(protocol)
        return transport


class Dialing(DialingLink):
    dialed: list[Endpoint]

    def endpoint(self) -> Any:
        return Endpoint(self.dialed)


class DialingTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.runtime = make_runtime()
        self.link = Dialing(make_plan("up", hears=("gps",)), self.runtime, "central:7000", "central")
        self.link.dialed = []
        self.link.start()

    def advance(self, seconds: float) -> None:
        self.runtime.reactor.advance(seconds)

    def test_refused_then_there(self) -> None:
        """A refused connection is tried again; the session begins when it is there."""
        self.link.dialed[0].result.errback(ConnectionRefusedError("refused"))
        self.assertEqual(self.link.keeper.state, "waiting")
        self.advance(1)
        self.link.dialed[1].succeed()
        self.advance(0)
        self.assertEqual((self.link.keeper.state, len(self.link.sessions)), ("connected", 1))

    def test_tls_failures_are_counted(self) -> None:
        """Each attempt that TLS ends is counted by its event, and logged once by whoever keeps the link."""
        for number in range(3):
            self.link.dialed[number].result.errback(TlsFailed("host_mismatch", "its certificate is for other.example"))
            self.advance(60)
        self.assertEqual(self.link.counters["host_mismatch"], 3)
        lines = self.runtime.lines  # type: ignore[attr-defined]
        self.assertEqual(len([line for line in lines if "host_mismatch: its certificate is for other.example" in line]), 1)

    def test_lost_and_dialed_again(self) -> None:
        """A lost connection is dialed again, with a new endpoint, so that the name is resolved again."""
        self.link.dialed[0].succeed()
        self.advance(0)
        next(iter(self.link.sessions)).lost("closed by the peer", clean=False)
        self.advance(1)
        self.assertEqual(len(self.link.dialed), 2)
        self.assertIsNot(self.link.dialed[0], self.link.dialed[1])

    def test_lost_before_it_was_told(self) -> None:
        """A connection that ends in the same turn in which it came is dialed again."""
        self.link.dialed[0].succeed()
        next(iter(self.link.sessions)).lost("closed by the peer", clean=False)
        self.advance(0)
        self.assertEqual(self.link.keeper.state, "waiting")
        self.advance(1)
        self.link.dialed[1].succeed()
        self.advance(0)
        self.assertEqual((self.link.keeper.state, len(self.link.sessions)), ("connected", 1))

    def test_connected_after_the_stop(self) -> None:
        """A connection that comes when nobody wants it any more gets no session."""
        self.link.stop()
        self.assertIsNone(self.link.dialed[0].factory.buildProtocol(None))

    def test_stopped_in_the_handshake(self) -> None:
        """A stop between TCP and the end of the TLS handshake cuts the connection."""
        protocol, wire = Protocol(), Wire()
        protocol.transport = wire
        self.link.dialed[0].result.callback(protocol)
        self.link.stop()
        self.assertTrue(wire.aborted)

    def test_stopped_while_dialing(self) -> None:
        """A stop cancels the attempt: no session comes of it, no timer is left."""
        self.link.stop()
        self.assertTrue(self.link.dialed[0].result.called)
        self.assertEqual(self.runtime.reactor.getDelayedCalls(), [])
