from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.framing._search import Search


class SearchTests(SynchronousTestCase):
    def found(self, search: Search, data: bytes, final: bool = False) -> list[tuple[int, int, bytes]]:
        return list(search.spans(data, final=final))

    def test_leftmost_then_longest(self) -> None:
        """The leftmost is found first, and the longest at a place, in whatever order they were given."""
        for wanted in ([b"\r", b"\r\n", b"\n"], [b"\n", b"\r\n", b"\r"]):
            self.assertEqual(self.found(Search(wanted), b"a\r\nb\nc\rd"), [(1, 3, b"\r\n"), (4, 5, b"\n"), (6, 7, b"\r")])

    def test_uncertain(self) -> None:
        """At the end of the data, one that may become longer, or whole, is found without its bytes: more must come first."""
        search = Search([b"\r", b"\r\n", b"END"])
        self.assertEqual(self.found(search, b"a\r"), [(1, 2, b"")])
        self.assertEqual(self.found(search, b"a\rEN"), [(1, 2, b"\r"), (2, 4, b"")])
        self.assertEqual(self.found(search, b"a\rEN "), [(1, 2, b"\r")])

    def test_final(self) -> None:
        """Where nothing more can come, what is there counts."""
        self.assertEqual(self.found(Search([b"\r", b"\r\n", b"END"]), b"EN\r", final=True), [(2, 3, b"\r")])

    def test_split(self) -> None:
        """Split at once, the same are found; what more data could change is in the rest."""
        search = Search([b"\r", b"\r\n", b"END"])
        self.assertEqual(search.split(b"a\r\n\rbEND\rcEN"), ([b"a", b"", b"b", b""], [b"\r\n", b"\r", b"END", b"\r"], b"cEN"))
        self.assertEqual(search.split(b"a\r"), ([], [], b"a\r"))
        self.assertEqual(search.split(b"a\rbE\r"), ([b"a"], [b"\r"], b"bE\r"))
        self.assertEqual(search.split(b"abcdef\r"), ([], [], b"abcdef\r"))
        self.assertEqual(search.split(b"a\rbc"), ([b"a"], [b"\r"], b"bc"))
        self.assertEqual(search.split(b"aENDb"), ([b"a"], [b"END"], b"b"))
        self.assertEqual(search.split(b""), ([], [], b""))
        self.assertEqual(Search([b"abc", b"b"]).split(b"xab"), ([], [], b"xab"))
        self.assertEqual(Search([b"\0"]).split(b"a\0\0b"), ([b"a", b""], [b"\0", b"\0"], b"b"))

    def test_overlap(self) -> None:
        """Where one found overlaps the next, the first counts and the search goes on behind it."""
        self.assertEqual(self.found(Search([b"aa"]), b"aaaaa"), [(0, 2, b"aa"), (2, 4, b"aa"), (4, 5, b"")])

    def test_start(self) -> None:
        """What stands before the start is not looked at; places count from the beginning of the data; more may come."""
        self.assertEqual(list(Search([b"\n", b"\n\r"]).spans(b"\na\n", 1)), [(2, 3, b"")])

    def test_any_byte(self) -> None:
        """No byte has a meaning of its own in the search."""
        for byte in range(256):
            wanted = bytes((byte,)) * 2 + b"."
            self.assertEqual(self.found(Search([wanted]), b"xy" + wanted), [(2, 5, wanted)])
