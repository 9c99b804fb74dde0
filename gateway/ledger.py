"""Where every packet is accounted for: in = written + dropped (for a named reason) + refused + waiting. Pure.

What comes in and what becomes of it are counted at different places, so that a packet that was lost between them shows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

_BUCKETS = 40
_SHIFT = 10


class Account:
    """What was for one receiver, in packets, and what became of it.

    ``came``: all that were for it. ``written``: given to its transport. ``refused``: it had no way to say them, or nobody was there.
    ``dropped``: by reason. ``moved``: left to another account. What waits is not counted here: it is asked for.
    """

    __slots__ = ("came", "dropped", "moved", "refused", "written")

    def __init__(self) -> None:
        self.came = 0
        self.written = 0
        self.refused = 0
        self.moved = 0
        self.dropped: dict[str, int] | None = None

    def drop(self, reason: str, packets: int) -> None:
        """So many were dropped, for this reason."""
        if packets:
            if self.dropped is None:
                self.dropped = {}
            self.dropped[reason] = self.dropped.get(reason, 0) + packets

    def refuse(self, packets: int) -> None:
        """So many came that it had no way to say."""
        self.came += packets
        self.refused += packets

    def move(self, packets: int, other: Account) -> None:
        """So many wait for another from now on."""
        self.moved += packets
        other.came += packets

    @property
    def lost(self) -> int:
        """How many were dropped, for whatever reason."""
        return sum(self.dropped.values()) if self.dropped else 0

    def open(self, waiting: int) -> int:
        """How many are unaccounted for while so many wait: 0, or there is a fault in the program."""
        return self.came - self.written - self.refused - self.moved - self.lost - waiting

    def add(self, other: Account) -> None:
        """Count what another has counted, too."""
        self.came += other.came
        self.written += other.written
        self.refused += other.refused
        self.moved += other.moved
        for reason, packets in (other.dropped or {}).items():
            self.drop(reason, packets)


class Delays:
    """How long packets took, in a histogram: each bucket is twice as long as the one before, from a microsecond on."""

    __slots__ = ("_counts", "longest")

    def __init__(self) -> None:
        self._counts = [0] * _BUCKETS
        self.longest = 0
        """In ns."""

    def add(self, delay: int, packets: int = 1) -> None:
        """So many took so long, in ns. A clock that was set back gives less than nothing, which counts as nothing."""
        if delay > self.longest:
            self.longest = delay
        index = delay.bit_length() - _SHIFT if delay > 0 else 0
        self._counts[index if 0 < index < _BUCKETS else 0 if index <= 0 else _BUCKETS - 1] += packets

    def __len__(self) -> int:
        return sum(self._counts)

    def within(self, share: float) -> float:
        """Seconds within which this share of all has come through, rounded up to the next bucket; 0 while there is none."""
        wanted, seen = share * len(self), 0
        for index, count in enumerate(self._counts):
            seen += count
            if seen and seen >= wanted:
                return float(min(2 ** (index + _SHIFT), self.longest)) / 1e9
        return 0.0

    def buckets(self) -> list[tuple[float, int]]:
        """For each bucket its upper end in seconds, and how many are in it; those without any are left out."""
        return [(2 ** (index + _SHIFT) / 1e9, count) for index, count in enumerate(self._counts) if count]


class Ledger:
    """What was for one link: for all sessions that it had, and for nobody while none was there."""

    def __init__(self) -> None:
        self.ended = Account()
        """The sum over the sessions that are over."""
        self.absent = Account()
        """What came while nobody was there."""
        self.delays = Delays()
        """From the last byte read to the write taken."""

    def end(self, account: Account) -> Account:
        """A session is over; what is still counted for it belongs into what this returns."""
        self.ended.add(account)
        return self.ended

    def total(self, live: Iterable[tuple[Account, int, int]], held: int) -> dict[str, int]:
        """One count for each: came, written, refused, waiting, dropped_REASON, and unaccounted, which is 0 or a fault in the program.

        ``live``: for each session its account, what came for it and is counted elsewhere, and what waits for it. ``held``: what waits
        for nobody yet.
        """
        total, waiting = Account(), held
        total.add(self.ended)
        total.add(self.absent)
        for account, shared, waits in live:
            total.add(account)
            total.came += shared
            waiting += waits
        counts = Counter(came=total.came - total.moved, written=total.written, refused=total.refused, waiting=waiting)
        counts.update({f"dropped_{reason}": packets for reason, packets in (total.dropped or {}).items()})
        counts["unaccounted"] = total.open(waiting)
        return dict(counts)


def written_out(accounts: Mapping[str, int], delays: Delays) -> str:
    """A line for people: what came and what became of it, and how long packets took; "" when nothing has come."""
    if not any(accounts.values()):
        return ""
    parts = [f"{name} {count}" for name, count in accounts.items() if count or name in ("written", "unaccounted")]
    took = f"; read to write: half within {_time(delays.within(0.5))}, 99 % within {_time(delays.within(0.99))}" if len(delays) else ""
    return f"packets: {', '.join(parts)}{took}"


def _time(seconds: float) -> str:
    size, unit = (seconds * 1000, "ms") if seconds < 0.9995 else (seconds, "s")
    return f"{size:.0f} {unit}" if size >= 10 else f"{size:.2g} {unit}"
