"""Looking for byte strings in a stream that comes in pieces."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator


class Search:
    """Finds byte strings in a stream: the leftmost first, the longest at a place, and none before it is certain."""

    def __init__(self, wanted: Iterable[bytes]) -> None:
        ordered = sorted(set(wanted), key=lambda each: (-len(each), each))
        self._beginnings = frozenset(each[:size] for each in ordered for size in range(1, len(each)))
        self._whole = re.compile(b"|".join(re.escape(each) for each in ordered))
        self._longest = len(ordered[0])
        self._pieces = re.compile(b"(" + self._whole.pattern + b")")
        # No group, and a literal first in each alternative: so `re` skips what cannot begin one at the speed of memory.
        partly = [re.escape(each[:size]) + (rb"\Z" if size < len(each) else b"") for each in ordered for size in range(len(each), 0, -1)]
        self._partly = re.compile(b"|".join(partly))

    def split(self, data: bytes) -> tuple[list[bytes], list[bytes], bytes]:
        """All at once: what stands before each one, which it is, and the rest; what needs more data to be certain is in the rest."""
        parts = self._pieces.split(data)
        size = len(parts[-1])
        while len(parts) > 1 and size + len(parts[-2]) < self._longest:
            size += len(parts[-2]) + len(parts[-3])
            del parts[-2:]
        return parts[:-1:2], parts[1::2], data[len(data) - size :]

    def spans(self, data: bytes, start: int = 0, *, final: bool = False) -> Iterator[tuple[int, int, bytes]]:
        """Start, end and bytes of each one found.

        Unless this is all there will be (``final``), the last may be one that needs more data to be certain: its bytes are empty.
        """
        for match in (self._whole if final else self._partly).finditer(data, start):
            found = match.group()
            uncertain = not final and match.end() == len(data) and found in self._beginnings
            yield match.start(), match.end(), b"" if uncertain else found
