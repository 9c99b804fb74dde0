"""What readers must get: the packets that the program has read, in the order in which it has read them."""

from __future__ import annotations

from .world import BrokenError

_FURTHEST = 200_000
"""How far ahead a packet is looked for that does not come next."""


class Journal:
    """The packets that are for the readers of one link; each reader keeps its own place in it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.packets: list[bytes] = []

    def place_of(self, packet: bytes, place: int) -> int:
        """Where this packet is, from ``place`` on. Raises BrokenError when it is nowhere: torn, forged, doubled, or out of order."""
        try:
            return self.packets.index(packet, place, place + _FURTHEST)
        except ValueError:
            before = packet in self.packets[max(0, place - 100) : place]
            what = "came twice, or out of order" if before else "was never read from a device as one packet"
            raise BrokenError(f"a reader of {self.name} got {packet!r}, which {what}") from None


class Source:
    """What the program has read from one device, cut into packets by an independent hand: at each LF, without it and a CR before it."""

    def __init__(self, *journals: Journal) -> None:
        self.journals = journals
        self.packets = 0
        self.torn = 0
        self.tails: set[bytes] = set()
        """What is no packet, because its beginning was said before the port was opened: nobody may get it."""
        self._rest = b""

    def read(self, data: bytes) -> None:
        """Bytes that the program has taken from the device."""
        *packets, self._rest = (self._rest + data).split(b"\n")
        if packets:
            self.packets += len(packets)
            packets = [packet.removesuffix(b"\r") for packet in packets]
            if self.tails:
                packets = [packet for packet in packets if packet not in self.tails]
            for journal in self.journals:
                journal.packets += packets

    def ended(self) -> None:
        """The port was closed: what was the beginning of a packet is none."""
        if self._rest:
            self.torn += 1
        self._rest = b""


class Reading:
    """One reader's way through a journal: the next packet it gets is the next there, but for gaps, which are counted."""

    def __init__(self, journal: Journal, earliest: int) -> None:
        self.journal = journal
        self.place = earliest
        self.got = 0
        self.gaps = 0
        """Packets that it missed between others."""

    def got_again(self, packet: bytes) -> bool:
        """Whether it had this packet before, not long ago; for who may get some twice after a reconnection."""
        return packet in self.journal.packets[max(0, self.place - 1000) : self.place]

    def got_packet(self, packet: bytes, exact: bool = True) -> None:
        """``exact``: its first packet must be the first of all that may come; for one who joined at a time that it cannot know, not."""
        packets, place = self.journal.packets, self.place
        if place < len(packets) and packets[place] == packet:
            self.place = place + 1
        else:
            found = self.journal.place_of(packet, place)
            if self.got or exact:
                self.gaps += found - place
            self.place = found + 1
        self.got += 1
