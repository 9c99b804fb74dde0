"""A server of the simulated world that the program dials: it reads, says commands, comes, goes and stops taking."""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Any

from .actors import Counted
from .forms import Lines
from .gateway import Simulated
from .journal import Journal, Reading
from .sockets import Peer

PLACE = ("192.0.2.1", 9000)


class FarEnd:
    """``keeps``: it must have everything when it is back, some of it perhaps twice."""

    def __init__(self, sim: Simulated, journal: Journal, counted: Counted, commands: float, keeps: bool = False) -> None:
        self.sim = sim
        self.chance = sim.world.chance("far")
        self.journal = journal
        self.counted = counted
        self.commands = commands
        self.keeps = keeps
        self.peer: Peer | None = None
        self.since = 0.0
        """When it was there last, or since when it is there again."""
        self.number = 0
        self.reading = Reading(journal, 0)
        self._open()

    def come_and_go(self, often: Callable[[Random, float, Callable[[Random], None]], None], hurry: float) -> None:
        """Do so now and then: ``often(chance, every, act)`` sees to that."""
        often(self.chance, 200.0, lambda chance: self._leave(chance, hurry))

    def _open(self) -> None:
        self.sim.network.servers[PLACE] = self._comes
        self.since = self.sim.world.now

    def _comes(self, peer: Peer) -> None:
        self.peer = peer
        self.since = self.sim.world.now
        self.counted.visits += 1
        form = Lines()
        # What was under way is never sent again: a new connection goes on behind what the last one got.
        if not self.keeps:
            self.reading = Reading(self.journal, self.reading.place)
        reading = self.reading

        def got(packet: bytes) -> None:
            if self.keeps and reading.got_again(packet):
                return
            gaps = reading.gaps
            reading.got_packet(packet, exact=False)
            self.counted.got += 1
            self.counted.gaps += reading.gaps - gaps

        def ended(kind: str) -> None:
            if kind == "eof":
                peer.close()
            if self.peer is peer:
                self.peer = None
                self.since = self.sim.world.now

        form.packet = got
        form.send = peer.send
        peer.on_data = form.feed
        peer.on_end = ended
        if self.commands:
            self.sim.world.at(self.chance.expovariate(self.commands), self._say, peer, form)

    def _say(self, peer: Peer, form: Any) -> None:
        if peer is self.peer and not peer.ended and not peer.vanished:
            self.number += 1
            self.counted.said += 1
            form.say(b"set far %d" % self.number)
            self.sim.world.at(self.chance.expovariate(self.commands), self._say, peer, form)

    def _leave(self, chance: Random, hurry: float) -> None:
        peer, world = self.peer, self.sim.world
        how = chance.choice(("close", "reset", "vanish", "stuck"))
        self.since = world.now
        if peer is not None and how == "stuck":
            peer.pause()
            world.at(chance.expovariate(hurry / 40), self._unstick, peer)
            return
        self.sim.network.servers.clear()
        world.at(chance.expovariate(1 / 20), self._open)
        if peer is not None:
            {"close": peer.close, "reset": peer.reset, "vanish": peer.lose_path}[how]()
            self.peer = None

    def _unstick(self, peer: Peer) -> None:
        self.since = self.sim.world.now
        if self.chance.random() < 0.5:
            peer.resume()
            return
        if self.peer is peer:
            self.peer = None
        self.chance.choice((peer.close, peer.reset, peer.lose_path))()
