"""The bounded queue, its four policies, and the memory that all share."""

from __future__ import annotations

import tracemalloc
from typing import NamedTuple

from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from twisted.trial.unittest import SynchronousTestCase

from gateway.bus.outbox import OVERHEAD, PLACE, DeviceOutboxOptions, Item, Memory, Outbox, OutboxOptions, Parcel, Verb, Verdict
from gateway.codecs import json
from gateway.packet import Batch, Frames


class Said(NamedTuple):
    data: bytes
    packets: int


def item(size: int, count: int = 1, name: bytes = b"x") -> Parcel:
    """A parcel of so many bytes for its peer, which begin with its name."""
    data = name * size
    return Parcel(Batch("gps", "run", 1, 0, "lan#1", Frames(data, count)), Said(data, count))


def names(items: list[Item]) -> bytes:
    """Which items these are: the first byte of each."""
    return b"".join(parcel.encoded.data[:1] for parcel in items if isinstance(parcel, Parcel) and parcel.encoded)


def taken(box: Outbox, limit: int) -> list[Item]:
    """What is taken and written."""
    items = list(box.take(limit))
    box.settle()
    return items


COST = OVERHEAD + PLACE


def outbox(policy: str, size: int = 100, packets: int = 1000, memory: Memory | None = None) -> Outbox:
    box = Outbox(OutboxOptions(bytes=size, packets=packets, when_full=policy), memory or Memory(1 << 20), lambda: box.clear())  # type: ignore[arg-type]
    return box


class PolicyTests(SynchronousTestCase):
    def test_defaults(self) -> None:
        """Network readers: 1 MiB and disconnect; devices: 64 KiB and block."""
        self.assertEqual((OutboxOptions().bytes, OutboxOptions().when_full), (1 << 20, "disconnect"))
        self.assertEqual((DeviceOutboxOptions().bytes, DeviceOutboxOptions().when_full), (65536, "block"))
        self.assertEqual((OutboxOptions().packets, DeviceOutboxOptions().packets), (1_000_000, 1_000_000))

    def test_least_limits(self) -> None:
        """A limit may be one byte or one packet, and not less."""
        for options in (OutboxOptions, DeviceOutboxOptions):
            for limit in ("bytes", "packets"):
                self.assertEqual(getattr(options(**{limit: 1}), limit), 1)  # type: ignore[arg-type]
                self.assertRaises(ValidationError, options, **{limit: 0})

    def test_empty_takes_one(self) -> None:
        """An empty outbox takes one item of any size, under every policy."""
        for policy in ("drop-oldest", "drop-newest", "disconnect", "block"):
            kept = Verdict.BLOCK if policy == "block" else Verdict.KEPT
            self.assertIs(outbox(policy).offer(item(5000)), kept)

    def test_drop_oldest(self) -> None:
        """The oldest go, whole and counted, until the new one fits."""
        box = outbox("drop-oldest")
        verdicts = [box.offer(item(50, count=2, name=name)) for name in (b"1", b"2", b"3")]
        self.assertEqual(verdicts, [Verdict.KEPT, Verdict.KEPT, Verdict.DROPPED])
        self.assertEqual(names(taken(box, 1000)), b"23")
        self.assertEqual(box.dropped_packets, 2)

    def test_drop_newest(self) -> None:
        """The new one goes, counted."""
        box = outbox("drop-newest")
        box.offer(item(100))
        self.assertIs(box.offer(item(1, count=3)), Verdict.DROPPED)
        self.assertEqual((len(box), box.dropped_packets), (1, 3))

    def test_disconnect(self) -> None:
        """The item that does not fit is dropped and the session is to end."""
        box = outbox("disconnect")
        box.offer(item(100))
        self.assertIs(box.offer(item(1)), Verdict.FULL)
        self.assertEqual(box.dropped_packets, 1)

    def test_block(self) -> None:
        """Nothing is dropped: the publisher is to pause, until at most half is left."""
        box = outbox("block")
        self.assertEqual([box.offer(item(size)) for size in (50, 10, 50)], [Verdict.KEPT, Verdict.KEPT, Verdict.BLOCK])
        taken(box, 1)
        self.assertFalse(box.relieved)
        taken(box, 1)
        self.assertTrue(box.relieved)
        self.assertEqual(box.dropped_packets, 0)

    def test_packet_limit(self) -> None:
        """The number of packets is a limit of its own."""
        box = outbox("drop-newest", packets=3)
        self.assertIs(box.offer(item(1, count=2)), Verdict.KEPT)
        self.assertIs(box.offer(item(1, count=2)), Verdict.DROPPED)
        self.assertIs(box.offer(item(1, count=1)), Verdict.KEPT)

    def test_verbs_in_order(self) -> None:
        """A verb comes alone and in its place, always fits, and no policy drops it."""
        box = outbox("drop-oldest")
        box.offer(item(60, name=b"1"))
        self.assertIs(box.offer(Verb("break")), Verdict.KEPT)
        box.offer(item(60, name=b"2"))
        box.offer(item(60, name=b"3"))
        found = []
        while box:
            found.append([each if isinstance(each, Verb) else each.batch.data[:1] for each in taken(box, 1000)])
        self.assertEqual(found, [[Verb("break")], [b"3"]])

    def test_clear_keeps_verbs(self) -> None:
        """Clearing drops the packets, and gives them back for whoever has to tell; what is to be done stays to be done."""
        box = outbox("block")
        box.offer(item(3))
        box.offer(Verb("close"))
        self.assertEqual([parcel.batch.origin for parcel in box.clear()], ["lan#1"])
        self.assertEqual(taken(box, 9), [Verb("close")])

    def test_relieved_by_packets_too(self) -> None:
        """Half empty means half of both limits."""
        box = outbox("block", size=1000, packets=4)
        for _ in range(4):
            box.offer(item(1))
        self.assertFalse(box.relieved)
        taken(box, 1)
        self.assertFalse(box.relieved)
        taken(box, 1)
        self.assertTrue(box.relieved)

    def test_take_in_bursts(self) -> None:
        """A take gives at least one item, and no more bytes than asked beyond it."""
        box = outbox("block", size=1000)
        for name in (b"1", b"2", b"3", b"4"):
            box.offer(item(40, name=name))
        self.assertEqual(names(taken(box, 80)), b"12")
        self.assertEqual(names(taken(box, 1)), b"3")


class MemoryTests(SynchronousTestCase):
    def test_fullest_first(self) -> None:
        """Past the common limit the fullest outbox gives up, and no other."""
        memory = Memory(3 * COST + 2100)
        small, big = outbox("block", size=9000, memory=memory), outbox("block", size=9000, memory=memory)
        small.offer(item(30))
        big.offer(item(2000))
        small.offer(item(200))
        self.assertEqual((small.bytes, big.bytes, memory.used), (230, 0, 230 + 2 * COST))

    def test_fullest_in_memory(self) -> None:
        """The fullest is the one that takes most memory, not the one with most bytes for its peer."""
        memory = Memory(100 + 6 * COST)
        many, few = outbox("block", memory=memory), outbox("block", memory=memory)
        few.offer(item(90))
        for _ in range(6):
            many.offer(item(2))
        self.assertEqual((len(many), len(few)), (0, 1))

    def test_the_oldest_of_one_size(self) -> None:
        """Among those that are about as full, the one that has been so for longest gives up, however many there are."""
        memory = Memory(1000 * (COST + 100) - 1)
        boxes = [outbox("block", memory=memory) for _ in range(1000)]
        for box in boxes:
            box.offer(item(100))
        self.assertEqual([len(box) for box in boxes], [0] + [1] * 999)

    def test_once_the_fullest(self) -> None:
        """An outbox that was the fullest, and has been emptied since, is asked to give up no more."""
        memory = Memory(3000)
        asked: list[str] = []
        big = Outbox(OutboxOptions(), memory, lambda: asked.append("big"))
        small = Outbox(OutboxOptions(), memory, lambda: asked.append("small"))
        big.offer(item(2000))
        taken(big, 1)
        for _ in range(5):
            small.offer(item(30))
        self.assertEqual((asked, big.cost, small.cost), (["small"], 0, 0))

    def test_cut_payloads_do_not_wait(self) -> None:
        """What waits keeps its bytes alone: payloads that somebody has cut from them are forgotten, and not charged."""
        memory = Memory(1 << 20)
        batch = Batch("gps", "run", 1, 0, "lan#1", Frames(b"a\nb\n", 2, delimiter=b"\n"))
        self.assertEqual(len(batch.payloads), 2)
        outbox("block", memory=memory).offer(Parcel(batch))
        self.assertEqual(memory.used, COST + 4)

    def test_given_up_is_not_dropped_by_the_policy(self) -> None:
        """What is cleared within an offer, because all outboxes are over their limit, is for whoever clears it to count: once."""
        for policy in ("drop-oldest", "drop-newest", "disconnect", "block"):
            cleared: list[Parcel] = []
            memory = Memory(3 * COST)
            box = Outbox(OutboxOptions(when_full=policy), memory, lambda: cleared.extend(box.clear()))  # type: ignore[arg-type] # noqa: B023
            for _ in range(3):
                box.offer(item(2))
            self.assertEqual((len(cleared), box.dropped_packets, memory.used), (3, 0, 0), policy)

    def test_shared_once(self) -> None:
        """A parcel that waits for many is counted once, as long as anybody waits for it, and each place a little."""
        memory = Memory(1 << 30)
        boxes = [outbox("block", size=1 << 20, memory=memory) for _ in range(100)]
        parcel = item(5000)
        for box in boxes:
            box.offer(parcel)
        self.assertEqual(memory.used, OVERHEAD + 5000 + 100 * PLACE)
        for box in boxes[:99]:
            taken(box, 1)
        self.assertEqual(memory.used, COST + 5000)
        boxes[99].clear()
        self.assertEqual(memory.used, 0)

    def test_charge_is_true(self) -> None:
        """What is charged is what parcels take, within a third: small packets and large, cut into payloads or not, encoded anew or not."""
        for size, cut, anew in ((2, False, False), (2, True, True), (64, False, True), (64, True, False), (4000, False, False)):
            memory = Memory(1 << 40)
            box = outbox("block", size=1 << 40, packets=1 << 30, memory=memory)
            tracemalloc.start()
            try:
                for number in range(1000):
                    data = bytes(size) + b"\n"
                    batch = Batch("lan", "run", number + 1000, number + (1 << 60), "lan#1", Frames(data, 1, delimiter=b"\n"))
                    if cut:
                        self.assertEqual(len(batch.payloads), 1)
                    box.offer(Parcel(batch, Said(bytes(size) + b"\r\n" if anew else data, 1), "stream"))
                del batch, data
                real, _peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            self.assertTrue(0.67 < memory.used / real < 1.5, f"{size} bytes, {cut=}, {anew=}: {memory.used} charged, {real} taken")

    def test_charge_of_fields_is_true(self) -> None:
        """What a codec found in packets is charged too, within a half: few values and many, deep and flat, long ones, shared keys."""
        codec = json.Codec(json.Options())
        values = (
            b'{"value":123.4,"unit":"kg","stable":true}',
            b'{"a":[[],[],{},[]]}',
            b'{"a":{"b":{"c":{"d":1.5}}}}',
            b'{"a":"%b"}' % (b"x" * 900),
        )
        for value in values:
            memory = Memory(1 << 40)
            box = outbox("block", size=1 << 40, packets=1 << 30, memory=memory)
            tracemalloc.start()
            try:
                for _ in range(100):
                    fields = [codec.decode(value)[1] for _ in range(50)]
                    box.offer(Parcel(Batch("lan", "run", 1, 1 << 60, "lan#1", Frames(b"x\n" * 50, 50, delimiter=b"\n", fields=fields))))
                del fields
                real, _peak = tracemalloc.get_traced_memory()
            finally:
                tracemalloc.stop()
            self.assertTrue(0.67 < memory.used / real < 1.5, f"{value!r}: {memory.used} charged, {real} taken")

    def test_reluctant(self) -> None:
        """An outbox whose owner does nothing is emptied all the same."""
        memory = Memory(10)
        box = Outbox(OutboxOptions(), memory, lambda: None)
        box.offer(item(50))
        self.assertEqual((box.bytes, memory.used), (0, 0))

    def test_settled_or_restored(self) -> None:
        """What was taken is charged until it is settled; restored, it stands in front again, as if it had not been taken."""
        memory = Memory(1 << 20)
        box = outbox("block", size=1000, memory=memory)
        for name in (b"1", b"2", b"3"):
            box.offer(item(40, name=name))
        before = (memory.used, box.bytes, box.packets)
        box.take(80)
        self.assertEqual((memory.used, box.bytes, box.packets, len(box)), (before[0], 40, 1, 1))
        box.restore()
        self.assertEqual((memory.used, box.bytes, box.packets), before)
        self.assertEqual(names(taken(box, 1000)), b"123")
        self.assertEqual((memory.used, box.bytes), (0, 0))

    def test_over(self) -> None:
        """It holds too much when more waits than there is room for, if whoever publishes is to wait for that."""
        for policy, size, packets, expected in (
            ("block", 80, 2, False),
            ("block", 79, 2, True),
            ("block", 80, 1, True),
            ("drop-oldest", 39, 9, False),
        ):
            box = outbox(policy, size, packets)
            box.offer(item(40))
            box.offer(item(40))
            self.assertIs(box.over, expected, (policy, size, packets))

    def test_verbs_forgotten(self) -> None:
        """Verbs can be taken out; the packets stay, in order."""
        box = outbox("block")
        for thing in (item(1, name=b"1"), Verb("close"), item(1, name=b"2")):
            box.offer(thing)
        box.forget_verbs()
        self.assertEqual((len(box), names(taken(box, 100))), (2, b"12"))

    def test_cleared_while_taken(self) -> None:
        """Clearing drops what was taken and never settled too."""
        memory = Memory(1 << 20)
        box = outbox("block", memory=memory)
        box.offer(item(40, name=b"1"))
        box.offer(item(40, name=b"2"))
        box.take(1)
        self.assertEqual((len(box.clear()), memory.used, box.bytes, box.packets), (2, 0, 0, 0))

    @settings(derandomize=True, max_examples=60)
    @given(st.sampled_from(["drop-oldest", "drop-newest", "disconnect", "block"]), st.lists(st.one_of(st.integers(1, 80), st.none())))
    def test_sums(self, policy: str, moves: list[int | None]) -> None:
        """Whatever is offered and taken, every packet is inside, taken or counted as dropped, and the sums agree."""
        memory = Memory(1 << 20)
        box = outbox(policy, memory=memory)
        offered = written = 0
        for move in moves:
            if move is None:
                written += sum(each.packets for each in taken(box, 50) if isinstance(each, Parcel))
            else:
                box.offer(item(move, count=move))
                offered += move
            self.assertEqual((memory.used, box.cost), (box.bytes + COST * len(box),) * 2)
            self.assertEqual(offered, written + box.packets + box.dropped_packets)
        written += box.packets
        while box:
            taken(box, 50)
        self.assertEqual((box.bytes, box.packets, memory.used), (0, 0, 0))
