"""How a packet looks in the log."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.links.trace import Trace, traced


class TraceTests(SynchronousTestCase):
    def test_hex(self) -> None:
        """Two lower hex digits a byte after 0x."""
        self.assertEqual(list(traced("hex", "received", b"\r\n")), ["received packet:[0x0d0a]"])
        self.assertEqual(list(traced("hex", "write", b"\xff")), ["write packet:[0xff]"])

    def test_text(self) -> None:
        """Control characters and broken UTF-8 are shown, never sent to the terminal."""
        self.assertEqual(list(traced("text", "received", b"\x1b[31m\xff")), ["received packet: '\\x1b[31m\\\\xff'"])

    def test_hexdump(self) -> None:
        """Sixteen bytes a line, with their offset and ASCII."""
        lines = list(traced("hexdump", "received", bytes(range(60, 78))))
        self.assertEqual(lines[0], "received packet of 18 bytes")
        self.assertEqual(lines[1], "00000000  3c 3d 3e 3f 40 41 42 43  44 45 46 47 48 49 4a 4b  |<=>?@ABCDEFGHIJK|")
        self.assertEqual(lines[2], "00000010  4c 4d                                             |LM|")

    def test_ascii(self) -> None:
        """What has no sign of its own in ASCII is a dot."""
        self.assertEqual(list(traced("hexdump", "write", bytes((31, 32, 126, 127, 128))))[1].partition("|")[2], ". ~..|")

    def test_longest(self) -> None:
        """4096 bytes are shown whole; of one byte more only that is told."""
        for style in ("hex", "text", "hexdump"):
            whole, cut = (list(traced(style, "received", b"x" * size)) for size in (4096, 4097))
            self.assertNotIn("more", "".join(whole))
            self.assertTrue(cut[-1].endswith("and 1 byte more"), cut[-1])

    def test_end_of_a_dump(self) -> None:
        """What is left out of a dump stands on a line of its own."""
        self.assertEqual(list(traced("hexdump", "received", b"x" * 4097))[-1], "and 1 byte more")
        self.assertEqual(len(list(traced("hexdump", "received", b"x" * 16))), 2)

    def test_rate(self) -> None:
        """At once as many packets are traced as in a second, later as many as the time allows; the others are counted."""
        trace = Trace("text", 2.0)
        for now, traced_now, left_out in ((100.0, 2, 3), (100.5, 1, 7), (100.75, 0, 12), (101.0, 1, 16), (200.0, 2, 19)):
            self.assertEqual(len(list(trace.lines("received", [b"x"] * 5, now))), traced_now, now)
            self.assertEqual(trace.left_out, left_out, now)

    def test_slow_rate(self) -> None:
        """With less than one packet a second the first is traced too, and then one when its time has come."""
        trace = Trace("hex", 0.5)
        counts = [len(list(trace.lines("write", [b"x", b"y"], now))) for now in (0.0, 1.0, 2.0, 3.0, 10.0)]
        self.assertEqual((counts, trace.left_out), ([1, 0, 1, 0, 1], 7))

    def test_without_a_rate(self) -> None:
        """Without a rate every packet is traced, in its style."""
        trace = Trace("hex")
        self.assertEqual(list(trace.lines("write", [b"a", b"b"], 0.0)), ["write packet:[0x61]", "write packet:[0x62]"])
        self.assertEqual(trace.left_out, 0)

    def test_long_packet(self) -> None:
        """A long packet is cut in the log, and what is left out is counted."""
        for style in ("hex", "text", "hexdump"):
            lines = list(traced(style, "received", b"x" * 10_000))
            self.assertTrue(lines[-1].endswith("and 5904 bytes more"), lines[-1])
            self.assertLess(sum(map(len, lines)), 40_000)
