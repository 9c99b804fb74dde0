"""What readers must get: the packets that the program has read, in the order in which it has read them."""

from __future__ import annotations

from ast import literal_eval
from collections import Counter, deque
from datetime import datetime
from typing import Any

from .world import BrokenError, World

_IN_AND_OUT = ("packets_in", "bytes_in", "packets_out", "late_bytes", "lost_bytes", "unheard_bytes")
UNTOLD = frozenset((*_IN_AND_OUT, "untold_events", "untraced_packets"))
"""Counters beside what is reported: see gateway/links/events.py."""
WORDS = ("dropped", "refused", "gone: ", "connected")
"""What the log says for people when it happens."""
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
        self.bytes = 0
        self.torn = 0
        self.tails: set[bytes] = set()
        """What is no packet, because its beginning was said before the port was opened: nobody may get it."""
        self._rest = b""

    def read(self, data: bytes) -> None:
        """Bytes that the program has taken from the device."""
        before = len(self._rest)
        *packets, self._rest = (self._rest + data).split(b"\n")
        if packets:
            self.packets += len(packets)
            self.bytes += before + len(data) - len(self._rest)
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


class Story:
    """What one client with ``codec = json`` was told: each topic's numbers go up, times do not go back, and answers are for it."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.wall_offset = world.wall_offset
        self.gaps = 0
        """Numbers that were left out."""
        self.refused = 0
        """Packets of its own that it was told were refused."""
        self.sent: Counter[str] = Counter()
        """Packets that were accepted for the device, by who said them."""
        self._last: dict[tuple[str, bool], int] = {}
        self._numbers: dict[str, int] = {}

    def heard(self, what: dict[str, Any]) -> None:
        """One object."""
        topic, number, fields = what["topic"], what["seq"], what.get("fields", {})
        told = fields.get("event") == "refused"
        last = self._last.get((topic, told))
        if number <= (last or 0) or (told and number != (last or 0) + 1):
            raise BrokenError(f"after {last} of {topic} came {number}")
        if "$" not in topic:
            self.gaps += number - (last or number - 1) - 1
        self._last[topic, told] = number
        late = self.world.wall() - datetime.fromisoformat(what["time"]).timestamp() * 1e9
        if late < -1e6 and self.world.wall_offset == self.wall_offset:
            raise BrokenError(f"a packet has a time that is still to come: {what}")
        if told:
            self.refused += fields["packets"]
            if topic != f"{fields['link']}/$events" or fields["reason"] not in ("absent", "lost"):
                raise BrokenError(f"refused for no reason: {what}")
        elif topic.endswith("/$sent"):
            word, asker, index, *_ = what["text"].split(" ")
            if word != "set" or int(index) <= self._numbers.get(asker, 0):
                raise BrokenError(f"sent again, or out of order: {what}")
            self._numbers[asker] = int(index)
            self.sent[asker] += 1


class Ear:
    """Hears what happens at one link: LINK/$events on the bus."""

    def __init__(self, link: str, before: Counter[str]) -> None:
        self.link = link
        self.before = Counter({event: times for event, times in before.items() if event not in UNTOLD})
        self.happened: Counter[str] = Counter()
        """How often each event has happened, by what was told."""
        self._last = 0

    def hear(self, batch: Any) -> None:
        """One batch."""
        for seq, fields in enumerate(batch.frames.fields, batch.seq):
            if batch.topic != f"{self.link}/$events" or fields["link"] != self.link or batch.to or seq != self._last + 1:
                raise BrokenError(f"{fields}, {seq} of {batch.topic}, came after {self._last} to whoever hears what happens at {self.link}")
            if batch.count != 1 or (fields["event"] == "connected" and not fields.get("peer")):
                raise BrokenError(f"{fields} was told as {batch.count} packets")
            self._last = seq
            self.happened[fields["event"]] += fields["times"]


class Log(deque[str]):
    """The program's log; packets in it (``trace``) are read as what they were."""

    def __init__(self, name: str) -> None:
        super().__init__(maxlen=1000)
        self._name = name
        self.traced: dict[str, list[bytes]] = {"received": [], "write": []}
        self.said: dict[str, set[str]] = {}
        """For each link the words in its lines that laws look for."""
        self._wanted = 0
        self._into: list[bytes] = []

    def append(self, text: str) -> None:
        super().append(text)
        _time, _, words = text.partition(" ")
        found = [word for word in WORDS if word in words]
        if found:
            self.said.setdefault(words.partition("]")[0][1:], set()).update(found)
        if words.startswith(f"[{self._name}] "):
            self._read(words.split(": ", 1)[-1])

    def _read(self, words: str) -> None:
        if self._wanted > 0 and words[8:10] == "  ":
            row = bytes.fromhex(words[10:58])
            self._into[-1] += row
            self._wanted -= len(row)
            shown = words[61:-1]
            if len(shown) != len(row):
                raise BrokenError(f"a row of a packet is traced as {words!r}")
        for direction, into in self.traced.items():
            if words.startswith(f"{direction} packet:[0x"):
                into.append(bytes.fromhex(words.split("[0x")[1].rstrip("]")))
            elif words.startswith(f"{direction} packet: "):
                into.append(literal_eval(words.split(" packet: ", 1)[1]).encode())
            elif words.startswith(f"{direction} packet of "):
                into.append(b"")
                self._into, self._wanted = into, int(words.split(" packet of ")[1].split(" ")[0])
