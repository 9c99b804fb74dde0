from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.framing._delimited import Delimited, DelimitedOptions
from gateway.packet import Frames


class CutTests(SynchronousTestCase):
    """Whole reads cut at once; what both ways of cutting promise is in test_contract."""

    def framer(self, **more: str | int) -> Delimited:
        return Delimited(DelimitedOptions.model_validate(more), [b"<>"], b"<>", "the next <>", cut=b"<>")

    def test_lazy(self) -> None:
        """The packets of a read stay one piece, the read itself where it ends with a delimiter; payloads are cut when they are needed."""
        framer = self.framer()
        data = b"ab<>cd<>"
        frames = framer.feed(data, 0.0)
        self.assertIs(frames.data, data)
        self.assertEqual((frames.count, frames.delimiter, list(frames.payloads)), (2, b"<>", [b"ab", b"cd"]))

    def test_lazy_at_the_limit(self) -> None:
        """So they are where a packet is as long as the limit, whether it stands first, behind an empty one, or is not yet complete."""
        for data, count in ((b"abcd<>" * 100, 100), (b"<>", 1), (b"<>abcd<>", 2), (b"ab<>abcd", 1)):
            frames = self.framer(max=4).feed(data, 0.0)
            self.assertEqual((frames.count, frames.delimiter), (count, b"<>"), data)

    def test_delimiter_over_two_reads(self) -> None:
        """A delimiter that is cut by the end of a read is found, also when the next read has more of them."""
        framer = self.framer()
        self.assertEqual(framer.feed(b"ab<", 0.0).count, 0)
        self.assertEqual(framer.held, 3)
        self.assertEqual(framer.feed(b">cd<>e<", 0.0), Frames(b"ab<>cd<>", 2, (b"ab", b"cd")))
        self.assertEqual(framer.feed(b">", 0.0), Frames(b"e<>", 1, (b"e",)))

    def test_limit_within_a_read(self) -> None:
        """One long packet among short ones is found wherever it stands: the others are given, in order."""
        short, long = b"abcd<>", b"abcde<>"
        for place in range(8):
            parts = [short] * 8
            parts[place] = long
            frames = self.framer(max=4).feed(b"".join(parts), 0.0)
            self.assertEqual((frames.data, frames.count), (short * 7, 7))
            self.assertEqual([(fault.event, fault.size) for fault in frames.faults], [("oversize", 7)])
        self.assertEqual(self.framer(max=4).feed(short * 100, 0.0).count, 100)

    def test_reframe(self) -> None:
        """Frames cut at the same delimiter are written as they are, unless one is too long here; for others there is no shortcut."""
        data = b"ab<>cd<>"
        frames = self.framer().feed(data, 0.0)
        self.assertIs(self.framer().reframe(frames), data)
        self.assertIsNone(self.framer(max=1).reframe(frames))
        self.assertIsNone(self.framer(embedded="escape").reframe(frames))
        self.assertIsNone(self.framer().reframe(Frames(b"ab\ncd\n", 2, delimiter=b"\n")))
