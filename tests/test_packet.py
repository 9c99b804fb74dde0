from __future__ import annotations

import pickle

from twisted.trial.unittest import SynchronousTestCase

from gateway.packet import EMPTY, Batch, Fault, Frames, Packet


class FramesTests(SynchronousTestCase):
    def test_given_payloads(self) -> None:
        """Payloads that were given are returned."""
        self.assertEqual(list(Frames(b"<a><b>", 2, (b"a", b"b")).payloads), [b"a", b"b"])

    def test_cut_on_first_use(self) -> None:
        """Payloads that were not given are cut once, behind each delimiter, and each loses one ``strip`` at its end."""
        frames = Frames(b"a\r\n\nb\r\r\n\r\n", 4, delimiter=b"\n", strip=b"\r")
        self.assertEqual(list(frames.payloads), [b"a", b"", b"b\r", b""])
        self.assertIs(frames.payloads, frames.payloads)
        self.assertEqual(list(Frames(b"a\r\0b\0", 2, delimiter=b"\0").payloads), [b"a\r", b"b"])

    def test_equality(self) -> None:
        """Frames are equal when their content is, whether payloads were given or cut."""
        lazy, given = Frames(b"a\nb\n", 2, delimiter=b"\n"), Frames(b"a\nb\n", 2, [b"a", b"b"])
        self.assertEqual(lazy, given)
        self.assertNotEqual(lazy, Frames(b"a\nb\n", 2, [b"a", b"b"], faults=(Fault("noise", "why"),)))
        self.assertNotEqual(lazy, Frames(b"a\nb\n", 2, [b"a", b"c"]))
        self.assertNotEqual(lazy, b"a\nb\n")

    def test_empty(self) -> None:
        """EMPTY has no packets and no faults."""
        self.assertEqual((EMPTY.data, EMPTY.count, list(EMPTY.payloads), EMPTY.faults), (b"", 0, [], ()))


class FramesCostTests(SynchronousTestCase):
    def test_without(self) -> None:
        """Packets can be left out by their places; the fields of the others stay with them."""
        frames = Frames(b"a\nb\nc\n", 3, delimiter=b"\n", fields=[{"n": 1}, None, {"n": 3}])
        left = frames.without({1})
        self.assertEqual((left, left.fields), (Frames(b"ac", 2, (b"a", b"c")), [{"n": 1}, {"n": 3}]))
        self.assertIsNone(Frames(b"a\nb\n", 2, delimiter=b"\n").without({0}).fields)

    def test_cost(self) -> None:
        """Frames cost their bytes, and once somebody has cut them their payloads too."""
        frames = Frames(b"a\nb\n", 2, delimiter=b"\n")
        before = frames.cost
        self.assertEqual((before, len(frames.payloads)), (4, 2))
        self.assertGreater(frames.cost, 2 * before)
        frames.join()
        self.assertEqual((frames.cost, list(frames.payloads)), (before, [b"a", b"b"]))
        self.assertGreater(Frames(b"a\n", 1, delimiter=b"\n", fields=[{"a": [["x" * 500]]}]).cost, 700)
        given = Frames(b"ab", 2, (b"a", b"b"))
        given.join()
        self.assertEqual(list(given.payloads), [b"a", b"b"])


class BatchTests(SynchronousTestCase):
    def test_packets(self) -> None:
        """Packets are numbered from the batch's own number, and have its time, and their fields where there are any."""
        frames = Frames(b"a\nb\n", 2, delimiter=b"\n")
        self.assertEqual(
            list(Batch("t", "r", 7, 99, "s", frames).packets()), [Packet("t", 7, 99, b"a", None), Packet("t", 8, 99, b"b", None)]
        )
        found = list(Batch("t", "r", 7, 99, "s", Frames(b"a\nb\n", 2, delimiter=b"\n", fields=[None, {"x": 1}])).packets())
        self.assertEqual([packet.fields for packet in found], [None, {"x": 1}])

    def test_plain_values(self) -> None:
        """A batch can be sent to another process as it is, with its payloads uncut."""
        batch = Batch("t", "r", 7, 99, "s", Frames(b"a\r\nb\n", 2, delimiter=b"\n", strip=b"\r", fields=[None, {"x": 1}]), "s2")
        copy = pickle.loads(pickle.dumps(batch))
        for name in Batch.__slots__:
            self.assertEqual(getattr(copy, name), getattr(batch, name))
        self.assertEqual(copy.fields, [None, {"x": 1}])
        self.assertEqual((copy.data, copy.count, list(copy.payloads)), (b"a\r\nb\n", 2, [b"a", b"b"]))

    def test_repr(self) -> None:
        """The repr has topic, run, numbers and origin, but not the bytes."""
        self.assertEqual(repr(Batch("t", "r", 7, 99, "s", Frames(b"secret\n", 1, delimiter=b"\n"))), "<Batch t r:7+1 from s>")
