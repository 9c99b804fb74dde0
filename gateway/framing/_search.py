"""Search for byte strings in a stream that comes in pieces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator


class Search:
    """Finds the wanted byte strings in a stream: the leftmost first, and the longest at each place.

    One at the end of the data is *uncertain* while the next bytes could make it a longer one.
    """

    def __init__(self, wanted: Iterable[bytes]) -> None:
        ordered = sorted(set(wanted), key=lambda each: (-len(each), each))
        self._beginnings = frozenset(each[:size] for each in ordered for size in range(1, len(each)))
        self._whole = re.compile(b"|".join(re.escape(each) for each in ordered))
        self._longest = len(ordered[0])
        self._pieces = re.compile(b"(" + self._whole.pattern + b")")
        # No group, and a literal first in each alternative: so `re` skips all other bytes at the speed of memory.
        partly = [re.escape(each[:size]) + (rb"\Z" if size < len(each) else b"") for each in ordered for size in range(len(each), 0, -1)]
        self._partly = re.compile(b"|".join(partly))

    def split(self, data: bytes) -> tuple[list[bytes], list[bytes], bytes]:
        """Return the pieces before each one found, the ones found, and the rest, which has all that is uncertain."""
        parts = self._pieces.split(data)
        size = len(parts[-1])
        while len(parts) > 1 and size + len(parts[-2]) < self._longest:
            size += len(parts[-2]) + len(parts[-3])
            del parts[-2:]
        return parts[:-1:2], parts[1::2], data[len(data) - size :]

    def spans(self, data: bytes, start: int = 0, *, final: bool = False) -> Iterator[tuple[int, int, bytes]]:
        """Yield start, end and bytes of each one found from ``start`` on.

        The bytes of an uncertain one are empty, and it is the last. With ``final`` no more data can come, and nothing is uncertain.
        """
        for match in (self._whole if final else self._partly).finditer(data, start):
            found = match.group()
            uncertain = not final and match.end() == len(data) and found in self._beginnings
            yield match.start(), match.end(), b"" if uncertain else found
