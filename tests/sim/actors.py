"""Those who live in the simulated world: devices that talk and listen, clients that come and go, an operator."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from random import Random
from typing import Any

from .forms import Form, Json, Lines
from .gateway import Simulated
from .journal import Journal, Reading, Source, Story
from .sockets import Peer
from .ttys import Uart
from .world import BrokenError

_LETTERS = b"abcdefghijklmnopqrstuvwxyz0123456789" * 40


class Device:
    """A serial device that says a numbered packet every so often, and writes down the commands that reach it."""

    def __init__(self, sim: Simulated, name: str, path: str, journals: Sequence[Journal], every: float, longest: int = 60) -> None:
        self.sim = sim
        self.name = name
        self.every = every
        self.longest = longest
        self.chance = sim.world.chance(f"device {name}")
        self.uart = Uart(sim.world, sim.devices, path, 115200)
        self.source = Source(*journals)
        self.uart.on_read = self.source.read
        self.uart.on_open = self._opened
        self.uart.on_gone = self._closed
        self.uart.on_data = self._told
        self.noise = 0.0
        self.pieces = 0.0
        self.echoes = False
        self.garbled = False
        self.begins_torn = False
        self.commands: dict[bytes, int] = {}
        """For each asker the number of the last command that came."""
        self.heard = 0
        self.missed: dict[bytes, int] = {}
        """For each asker the numbers that were left out."""
        self.torn = 0
        self.cut = 0
        """Commands that were on the line when it was unplugged."""
        self.plugged = self.sim.world.now
        """Since when it is there; after that time no more when it is not."""
        self.there = True
        self._number = 0
        self._command = b""
        self._talks = True

    def start(self) -> None:
        self.sim.world.at(self.chance.random() * self.every, self._talk)

    def unplug(self) -> None:
        if self.uart.tty is not None:
            self.cut += self.uart.tty.outgoing.count(b"\n")
        self.there = False
        self.uart.unplug()

    def plug(self, path: str = "") -> None:
        if not self.there:
            self.there, self.plugged = True, self.sim.world.now
            self.uart.plug(path or self.uart.path)

    def flood(self, size: int) -> None:
        """Say so much at once that it fills the line."""
        while size > 0:
            data = self._packet()
            self.uart.say(data)
            size -= len(data)

    def _talk(self) -> None:
        data, chance, world = self._packet(), self.chance, self.sim.world
        if self.garbled:
            data = chance.randbytes(len(data))
        if self.noise and chance.random() < self.noise:
            place = int(chance.random() * len(data))
            data = data[:place] + bytes((int(chance.random() * 256),)) + data[place + 1 :]
        if self.pieces and chance.random() < self.pieces:
            cut = 1 + int(chance.random() * (len(data) - 1))
            self.uart.say(data[:cut])
            world.at(chance.random() * 0.02, self.uart.say, data[cut:])
        else:
            self.uart.say(data)
        world.at(self.every * (0.8 + 0.4 * chance.random()), self._talk)

    def _packet(self) -> bytes:
        self._number += 1
        size = int(self.chance.random() * self.longest)
        return b"%s %d %s\r\n" % (self.name.encode(), self._number, _LETTERS[:size])

    def _opened(self) -> None:
        if self.begins_torn:
            packet = self._packet()
            tail = packet[1 + int(self.chance.random() * (len(packet) - 3)) :]
            self.source.tails.add(tail.removesuffix(b"\r\n"))
            self.uart.say(tail)

    def _closed(self) -> None:
        self.source.ended()
        if self._command:
            self.torn += 1
            self._command = b""

    def _told(self, data: bytes) -> None:
        if self.echoes:
            self.uart.say(data)
        *commands, self._command = (self._command + data).split(b"\n")
        for command in commands:
            word, _, rest = command.partition(b" ")
            asker, number, *_ = rest.split(b" ")
            if word != b"set" or not number.isdigit():
                raise BrokenError(f"{self.name} was told {command!r}, which nobody has said: commands were mixed or torn")
            last = self.commands.get(asker, 0)
            if int(number) <= last:
                raise BrokenError(f"{self.name} was told {command!r} again, or out of order: the last of {asker!r} was {last}")
            self.missed[asker] = self.missed.get(asker, 0) + int(number) - last - 1
            self.commands[asker] = int(number)
            self.heard += 1


@dataclass
class Habits:
    """What a client does, and how likely each is."""

    stays: float = 600.0
    """Seconds, on average; 0: for ever."""
    away: float = 30.0
    commands: float = 0.0
    """Commands in a second."""
    command_size: int = 0
    junk: float = 0.0
    """How often it says what is no JSON in place of a command, where it speaks JSON."""
    pieces: float = 0.0
    ends: Sequence[str] = ("close",)
    """How it leaves: close, reset, vanish, shut."""
    stuck: float = 0.0
    """How often in an hour it stops reading for a while."""
    stuck_for: float = 20.0


@dataclass
class Counted:
    """What the clients of one link have seen in all."""

    visits: int = 0
    refused: int = 0
    got: int = 0
    gaps: int = 0
    said: int = 0
    junk: int = 0
    ends: dict[str, int] = field(default_factory=dict)


class Client:
    """Comes to a link, reads and checks what it gets, says commands, leaves, and comes again."""

    def __init__(
        self, sim: Simulated, name: str, place: Any, journal: Journal, form: Callable[[], Form], habits: Habits, counted: Counted
    ) -> None:
        self.sim = sim
        self.name = name
        self.place = place
        self.place_name = journal.name
        self.journal = journal
        self.make_form = form
        self.habits = habits
        self.counted = counted
        self.chance: Random = sim.world.chance(f"client {name}")
        self.peer: Peer | None = None
        self.form: Form | None = None
        self.reading: Reading | None = None
        self.number = 0
        self.stays_away = False
        self.since = 0.0
        """When the program has taken it last."""
        self.visits = 0
        self.came = 0.0
        """When it came last."""
        self.refused_before = 0
        """Packets of which it was told on earlier visits that they were refused."""
        self.story: Story | None = None
        """What a client with ``codec = json`` is told beside packets."""

    def start(self) -> None:
        self.sim.world.at(self.chance.expovariate(1 / self.habits.away), self.come)

    def come(self) -> None:
        if self.stays_away:
            return
        self.counted.visits += 1
        self.came = self.sim.world.now
        self.visits += 1
        self.peer = peer = Peer(self.sim.network, self.name)
        self.form = form = self.make_form()
        form.send = self._send
        self.reading = reading = Reading(self.journal, len(self.journal.packets))
        form.packet = partial(self._got, reading, isinstance(form, Lines))
        if isinstance(form, Json):
            self.refused_before += self.story.refused if self.story is not None else 0
            self.story = Story(self.sim.world)
            form.heard = self.story.heard
        peer.on_open, peer.on_data, peer.on_end = form.begin, form.feed, self._ended
        peer.client = self  # type: ignore[attr-defined]
        self.sim.network.connect(peer, self.place)
        chance, habits, world = self.chance, self.habits, self.sim.world
        if habits.stays:
            world.at(chance.expovariate(1 / habits.stays), self._leave, peer)
        if habits.commands:
            world.at(chance.expovariate(habits.commands), self._say, peer)
        if habits.stuck:
            world.at(chance.expovariate(habits.stuck / 3600), self._stick, peer)

    def accepted(self) -> None:
        """The program has taken the connection: from here on nothing may be missing."""
        if self.reading is not None:
            self.reading.place = max(self.reading.place, len(self.journal.packets))
        self.since = self.sim.world.now

    def _got(self, reading: Reading, exact: bool, packet: bytes) -> None:
        gaps = reading.gaps
        reading.got_packet(packet, exact)
        self.counted.got += 1
        self.counted.gaps += reading.gaps - gaps

    def _send(self, data: bytes) -> None:
        peer, chance = self.peer, self.chance
        if peer is None:
            return
        if self.habits.pieces and len(data) > 1 and chance.random() < self.habits.pieces:
            cut = 1 + int(chance.random() * (len(data) - 1))
            peer.send(data[:cut])
            peer.send(data[cut:])
        else:
            peer.send(data)

    def _say(self, peer: Peer) -> None:
        if peer is not self.peer or peer.ended or peer.vanished:
            return
        if self.habits.junk and isinstance(self.form, Json) and self.form.opened and self.chance.random() < self.habits.junk:
            self.counted.junk += 1
            self.form.say_junk()
        elif peer.opened and self.form is not None and self.form.opened:
            self.number += 1
            self.counted.said += 1
            more = b" " + _LETTERS[: self.habits.command_size] if self.habits.command_size else b""
            # Between two connections of one client nobody promises an order.
            asker = self.name if self.visits == 1 else f"{self.name}.{self.visits}"
            self.form.say(b"set %s %d%s" % (asker.encode(), self.number, more))
        self.sim.world.at(self.chance.expovariate(self.habits.commands), self._say, peer)

    def _stick(self, peer: Peer) -> None:
        if peer is self.peer and not peer.ended:
            peer.pause()
            self.sim.world.at(self.chance.expovariate(1 / self.habits.stuck_for), self._unstick, peer)

    def _unstick(self, peer: Peer) -> None:
        peer.resume()
        if peer is self.peer and not peer.ended:
            self.sim.world.at(self.chance.expovariate(self.habits.stuck / 3600), self._stick, peer)

    def _leave(self, peer: Peer) -> None:
        if peer is not self.peer:
            return
        how = self.chance.choice(self.habits.ends)
        if how == "close":
            peer.close()
        elif how == "reset":
            peer.reset()
        elif how == "vanish":
            peer.lose_path()
        else:
            peer.shut()
            self.sim.world.at(30.0, self._shut_long, peer)
            return
        self._gone(how)

    def _shut_long(self, peer: Peer) -> None:
        if peer is self.peer:
            peer.close()
            self._gone("shut")

    def _ended(self, kind: str) -> None:
        if kind == "eof" and self.peer is not None:
            self.peer.close()
        if kind == "refused":
            self.counted.refused += 1
        self._gone(f"by the gateway: {kind}")

    def _gone(self, how: str) -> None:
        self.counted.ends[how] = self.counted.ends.get(how, 0) + 1
        self.peer = None
        self.sim.world.at(self.chance.expovariate(1 / self.habits.away), self.come)
