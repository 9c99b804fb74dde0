"""Time, chance and events of one simulated run: everything that happens, happens here in an order that the seed decides."""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable
from random import Random
from typing import Any

BEGIN = 1000.0
"""Monotonic seconds at which every run begins."""
WALL = 1_700_000_000_000_000_000
"""The time of day then, in ns since the epoch."""
TURN = 20e-6
"""Seconds that the program needs for one thing that it does; so a flood takes time, too."""
_REMEMBERED = 1000


class BrokenError(AssertionError):
    """A law does not hold: what, and when."""


class Call:
    """Something that is to happen; for the program it is an IDelayedCall."""

    __slots__ = ("args", "func", "kw", "number", "time", "world")

    def __init__(self, world: World, time: float, number: int, func: Callable[..., Any] | None, args: tuple[Any, ...], kw: Any) -> None:
        self.world = world
        self.time = time
        self.number = number
        self.func = func
        self.args = args
        self.kw = kw

    def __lt__(self, other: Call) -> bool:
        return (self.time, self.number) < (other.time, other.number)

    def active(self) -> bool:
        return self.func is not None

    def getTime(self) -> float:
        return self.time

    def cancel(self) -> None:
        if self.func is None:
            raise BrokenError("a timer is cancelled that has fired or was cancelled")
        self.func = None

    def reset(self, seconds: float) -> None:
        """Fire so many seconds from now instead. The entry in the heap is left to lapse, and a new one made."""
        func, self.func = self.func, None
        self.world._push(self, seconds, func)

    def delay(self, seconds: float) -> None:
        self.reset(self.time - self.world.now + seconds)


class World:
    """One run. ``at`` makes something happen later; ``ready`` holds what the program may be told at once, in an order of chance."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        self.now = BEGIN
        self.wall_offset = WALL - int(BEGIN * 1e9)
        self.events = 0
        """How much has happened."""
        self.digest = 0
        """A number over all that has happened: equal in two runs only if they were the same."""
        self.recent: deque[tuple[float, str, int, int]] = deque(maxlen=_REMEMBERED)
        self.log: deque[str] = deque(maxlen=_REMEMBERED)
        """What the program has logged last."""
        self.alarms: list[str] = []
        """What must never happen, and did: an exception in a callback, say."""
        self.work = 0
        """Sends, reads and writes of the program in its present turn."""
        self.longest_turn = 0
        self.ready: list[Any] = []
        self._places: dict[Any, int] = {}
        self._heap: list[tuple[float, int, Call]] = []
        self._numbers = 0
        self._pick = self.chance("order").random

    # Chance

    def chance(self, name: str) -> Random:
        """Chance of its own for each purpose, so that what one of them needs changes nothing for the others."""
        return Random(f"{self.seed} {name}")

    # Time

    def wall(self) -> int:
        """The time of day, in ns since the epoch."""
        return self.wall_offset + int(self.now * 1e9)

    def seconds(self) -> float:
        return self.now

    def at(self, delay: float, func: Callable[..., Any], *args: Any, **kw: Any) -> Call:
        """Call this in so many seconds."""
        call = Call(self, 0.0, 0, None, args, kw)
        self._push(call, delay, func)
        return call

    def _push(self, call: Call, delay: float, func: Callable[..., Any] | None) -> None:
        self._numbers = number = self._numbers + 1
        call.time = time = self.now + (delay if delay > 0 else 0.0)
        call.number = number
        call.func = func
        heapq.heappush(self._heap, (time, number, call))

    def waiting(self) -> list[Call]:
        """What is still to happen."""
        return [call for time, number, call in self._heap if call.func is not None and call.number == number]

    # What the program may be told now

    def can(self, what: Any) -> None:
        """From now on it can be told this, each time that its turn comes."""
        if what not in self._places:
            self._places[what] = len(self.ready)
            self.ready.append(what)

    def cannot(self, what: Any) -> None:
        place = self._places.pop(what, None)
        if place is not None:
            last = self.ready.pop()
            if last is not what:
                self.ready[place] = last
                self._places[last] = place

    # Going on

    def note(self, what: str, who: int = 0, size: int = 0) -> None:
        """Something has happened: it goes into the trace."""
        self.events += 1
        self.digest = hash((self.digest, self.now, len(what), who, size))
        self.recent.append((self.now, what, who, size))

    def run(self, until: float) -> None:
        """Go on until that time."""
        heap, ready, pick, pop = self._heap, self.ready, self._pick, heapq.heappop
        while True:
            if heap and heap[0][0] <= self.now:
                _, number, call = pop(heap)
                func = call.func
                if func is not None and call.number == number:
                    call.func = None
                    self._count_work()
                    func(*call.args, **call.kw)
            elif ready:
                self.now += TURN
                self._count_work()
                ready[int(pick() * len(ready))].go()
            elif heap and heap[0][0] <= until:
                self.now = heap[0][0]
            else:
                self.now = max(self.now, until)
                return
            if self.now >= until:
                return

    def _count_work(self) -> None:
        if self.work > self.longest_turn:
            self.longest_turn = self.work
        self.work = 0

    def alarm(self, text: str) -> None:
        """Something has happened that must not; the run ends with it at the next look at the laws."""
        self.alarms.append(f"at {self.now - BEGIN:.6f} s: {text}")
