from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.framing import FramingOptions
from gateway.framing._assembly import Assembly
from gateway.packet import EMPTY, Fault, Frames


class AssemblyTests(SynchronousTestCase):
    def assembly(self, on_oversize: str = "drop", separate: bool = False) -> Assembly:
        return Assembly(FramingOptions.model_validate({"max": 4, "on_oversize": on_oversize}), "the next full stop", separate=separate)

    def test_whole(self) -> None:
        """Pieces become one packet at the boundary, whose bytes belong to the data, and to the payload only where they are kept."""
        assembly = self.assembly()
        assembly.add(b"ab")
        self.assertIs(assembly.take(), EMPTY)
        assembly.add(b"cd")
        assembly.end(b".")
        assembly.end(b".", keep=b".")
        self.assertEqual(assembly.take(), Frames(b"abcd..", 2, (b"abcd", b".")))
        self.assertIs(assembly.take(), EMPTY)

    def test_separate(self) -> None:
        """Where the bytes on the wire are not the payload, both are kept, and dropped bytes are counted as on the wire."""
        assembly = self.assembly(separate=True)
        assembly.add(b"a", b"#61")
        self.assertEqual(assembly.held, 4)
        assembly.end(b".")
        assembly.add(b"b", b"#62")
        assembly.reject("noise", "why")
        assembly.end(b".")
        self.assertEqual(assembly.take(), Frames(b"#61.", 1, (b"a",), faults=(Fault("noise", "why (4 bytes dropped)", 4),)))

    def test_drop(self) -> None:
        """A packet that is too long is dropped up to its end, and reported once if the end comes in the same read; the next is good."""
        assembly = self.assembly()
        for content in (b"abcde", b"ok"):
            assembly.add(content)
            assembly.end(b".")
        fault = Fault("oversize", "a packet is longer than framing.max = 4 bytes: skipping to the next full stop (6 bytes dropped)", 6)
        self.assertEqual(assembly.take(), Frames(b"ok.", 1, (b"ok",), faults=(fault,)))

    def test_drop_over_many_reads(self) -> None:
        """What follows in later reads is reported when it is as much as the limit, and at the end: all bytes, but not read by read."""
        assembly = self.assembly()
        sizes = []
        for _ in range(10):
            assembly.add(b"abc")
            self.assertLessEqual(assembly.held, 4)
            sizes.append([(fault.event, fault.size) for fault in assembly.take().faults])
        assembly.end(b".")
        sizes.append([(fault.event, fault.size) for fault in assembly.take().faults])
        skipped = [("skipped", 6)]
        self.assertEqual(sizes, [[], [("oversize", 6)], [], skipped, [], skipped, [], skipped, [], skipped, [("skipped", 1)]])

    def test_skipped_as_much_as_the_limit(self) -> None:
        """What is dropped in later reads is told as soon as it is as much as the limit."""
        assembly = self.assembly()
        sizes = []
        for content in (b"abcde", b"ab", b"cd"):
            assembly.add(content)
            sizes.append([fault.size for fault in assembly.take().faults])
        self.assertEqual(sizes, [[5], [], [4]])

    def test_emit(self) -> None:
        """Cut at the limit, nothing is lost: no piece is empty, the last one carries the boundary, and the fault drops nothing."""
        assembly = self.assembly("emit")
        for content in (b"abcd", b"efgh", b"ijkl"):
            assembly.add(content)
        assembly.end(b".")
        fault = Fault("oversize", "a packet is longer than framing.max = 4 bytes: cut there")
        self.assertEqual(assembly.take(), Frames(b"abcdefghijkl.", 3, (b"abcd", b"efgh", b"ijkl"), faults=(fault,)))

    def test_emit_again(self) -> None:
        """Each packet that is cut is told, not only the first."""
        assembly = self.assembly("emit")
        for _ in range(2):
            assembly.add(b"abcde")
            assembly.end(b".")
        self.assertEqual([(fault.event, fault.times) for fault in assembly.take().faults], [("oversize", 2)])

    def test_close(self) -> None:
        """The fault says that the session must end; a session that cannot goes on behind the packet."""
        assembly = self.assembly("close")
        assembly.add(b"abcde")
        fault = Fault(
            "oversize", "a packet is longer than framing.max = 4 bytes (framing.on_oversize = close) (5 bytes dropped)", 5, fatal=True
        )
        self.assertEqual(assembly.take(), Frames(b"", 0, (), faults=(fault,)))
        assembly.end(b".")
        assembly.add(b"ok")
        assembly.end(b".")
        self.assertEqual(assembly.take().payloads, [b"ok"])

    def test_sums(self) -> None:
        """What goes wrong many times in one read is one fault for each event: the first text, how often, all bytes, fatal if one is."""
        assembly = self.assembly("close")
        assembly.reject("noise", "first")
        assembly.add(b"abc")
        assembly.end()
        assembly.fault("noise", "second", 10, 4)
        assembly.add(b"abcde")
        assembly.end()
        noise, oversize = assembly.take().faults
        self.assertEqual(noise, Fault("noise", "first (5 times, 13 bytes dropped)", 13, False, 5))
        self.assertEqual((oversize.size, oversize.fatal, oversize.times), (5, True, 1))
        self.assertIs(assembly.take(), EMPTY)

    def test_single(self) -> None:
        """A single byte is one byte, in the limit and in the sum."""
        assembly = Assembly(FramingOptions(max=1), "the next full stop")
        assembly.add(b"ab")
        (oversize,) = assembly.take().faults
        self.assertEqual(oversize.text, "a packet is longer than framing.max = 1 byte: skipping to the next full stop (2 bytes dropped)")
        assembly.add(b"c")
        assembly.end()
        (skipped,) = assembly.take().faults
        self.assertEqual(skipped.text, "still skipping to the next full stop (1 byte dropped)")

    def test_extend(self) -> None:
        """Whole packets are added between others, as they are."""
        assembly = self.assembly()
        assembly.end(b".")
        assembly.extend(b"a.b.", [b"a", b"b"])
        self.assertEqual(assembly.take(), Frames(b".a.b.", 3, (b"", b"a", b"b")))

    def test_extend_by_nothing(self) -> None:
        """No packets leave nothing to take."""
        assembly = self.assembly()
        assembly.extend(b"", [])
        self.assertIs(assembly.take(), EMPTY)

    def test_first_reason(self) -> None:
        """Of a packet that is wrong in two ways, the first is reported."""
        assembly = self.assembly()
        assembly.add(b"abcde")
        assembly.reject("noise", "later")
        assembly.end()
        self.assertEqual([fault.event for fault in assembly.take().faults], ["oversize"])

    def test_finish(self) -> None:
        """At the end of the stream what is held is the last packet or is reported as a tail; the rest of a skipped one is reported."""
        tail = "part of a packet: the stream ended before the next full stop"
        for emit, expected in (
            (True, Frames(b"ab", 1, (b"ab",))),
            (
                False,
                Frames(b"", 0, (), faults=(Fault("tail", f"{tail} (2 bytes dropped)", 2),)),
            ),
        ):
            assembly = self.assembly()
            assembly.add(b"ab")
            self.assertEqual(assembly.finish(emit), expected)
            self.assertIs(assembly.finish(emit), EMPTY)
        assembly.add(b"abcde")
        self.assertEqual(assembly.take().faults[0].size, 5)
        assembly.add(b"fg")
        self.assertEqual([(fault.event, fault.size) for fault in assembly.finish(True).faults], [("skipped", 2)])
        self.assertFalse(assembly.skipping)
