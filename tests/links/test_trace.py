"""How a packet looks in the log."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.links.trace import traced


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

    def test_long_packet(self) -> None:
        """A long packet is cut in the log, and what is left out is counted."""
        for style in ("hex", "text", "hexdump"):
            lines = list(traced(style, "received", b"x" * 10_000))
            self.assertTrue(lines[-1].endswith("and 5904 bytes more"), lines[-1])
            self.assertLess(sum(map(len, lines)), 40_000)
