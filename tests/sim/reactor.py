"""The reactor of a simulated run: Twisted's own code for TCP and UNIX sockets, on descriptors and a clock that are not real."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any

from twisted.internet import main
from twisted.internet.posixbase import PosixReactorBase

from .world import TURN, Call, World


class Handle:
    """A simulated descriptor: whoever has it says `changed` when it can be read or written from now on, or no more."""

    readable = False
    writable = False
    hung = False
    reactor: SimReactor | None = None

    def __init__(self, reactor: SimReactor) -> None:
        self.reactor = reactor
        self.descriptor = reactor.number_of(self)

    def changed(self) -> None:
        if self.reactor is not None:
            self.reactor.look_at(self)

    def released(self) -> None:
        """The descriptor is closed."""
        if self.reactor is not None:
            self.reactor.release(self)
            self.reactor = None


class _Turn:
    """One thing that can be done next: to read or write one descriptor."""

    __slots__ = ("handle", "reactor", "reads", "selectable")

    def __init__(self, reactor: SimReactor, handle: Handle, selectable: Any, reads: bool) -> None:
        self.reactor = reactor
        self.handle = handle
        self.selectable = selectable
        self.reads = reads

    def go(self) -> None:
        world, handle, selectable = self.reactor.world, self.handle, self.selectable
        world.note("read" if self.reads else "write", handle.descriptor)
        try:
            why = selectable.doRead() if self.reads else selectable.doWrite()
        except Exception as failure:
            world.alarm("an exception reached the reactor:\n" + traceback.format_exc())
            why = failure
        if why is None and selectable.fileno() == -1:
            why = main.CONNECTION_LOST
        if why:
            self.reactor._disconnectSelectable(selectable, why, self.reads)
        else:
            self.reactor.look_at(handle)


class SimReactor(PosixReactorBase):  # type: ignore[misc]
    """Its time is the world's, and what is read or written next the seed decides."""

    def __init__(self, world: World, resolver: Any) -> None:
        self.world = world
        self._handles: dict[int, Handle] = {}
        self._reads: dict[Handle, _Turn] = {}
        self._writes: dict[Handle, _Turn] = {}
        self._numbers = 100
        self.stopped = False
        super().__init__()
        self.installNameResolver(resolver)

    def installWaker(self) -> None:
        """Nobody has to wake it."""

    # Time

    def seconds(self) -> float:  # type: ignore[override]
        return self.world.now

    def callLater(self, delay: float, func: Callable[..., Any], *args: Any, **kw: Any) -> Call:  # type: ignore[override]
        if delay < 0:
            self.world.alarm(f"a timer of {delay} s")
        return self.world.at(max(delay, TURN), self._call, func, args, kw)  # so that whoever asks for 0 for ever is noticed

    def callFromThread(self, func: Callable[..., Any], *args: Any, **kw: Any) -> None:  # type: ignore[override]
        self.world.at(0, self._call, func, args, kw)

    def callInThread(self, *args: Any, **kw: Any) -> None:
        self.world.alarm("a thread was started: nothing in this world waits for one")

    def getDelayedCalls(self) -> list[Any]:  # type: ignore[override]
        """The program's own timers."""
        return [call for call in self.world.waiting() if call.func == self._call]

    def stop(self) -> None:
        self.stopped = True

    def _call(self, func: Callable[..., Any], args: tuple[Any, ...], kw: dict[str, Any]) -> None:
        self.world.note("timer")
        try:
            func(*args, **kw)
        except Exception:
            self.world.alarm("a timer raised:\n" + traceback.format_exc())

    # Descriptors

    def number_of(self, handle: Handle) -> int:
        self._numbers = number = self._numbers + 1
        self._handles[number] = handle
        return number

    def handle_of(self, descriptor: int) -> Handle | None:
        return self._handles.get(descriptor)

    def open_descriptors(self) -> list[Handle]:
        """What the program has open."""
        return list(self._handles.values())

    def release(self, handle: Handle) -> None:
        self._handles.pop(handle.descriptor, None)
        for turns in (self._reads, self._writes):
            turn = turns.pop(handle, None)
            if turn is not None:
                self.world.cannot(turn)

    def look_at(self, handle: Handle) -> None:
        """Whether it can be read or written now."""
        turn = self._reads.get(handle)
        if turn is not None:
            if handle.readable:
                self.world.can(turn)
            else:
                self.world.cannot(turn)
        turn = self._writes.get(handle)
        if turn is not None:
            if handle.writable:
                self.world.can(turn)
            else:
                self.world.cannot(turn)

    def addReader(self, reader: Any) -> None:
        self._add(self._reads, reader, True)

    def addWriter(self, writer: Any) -> None:
        self._add(self._writes, writer, False)

    def removeReader(self, reader: Any) -> None:
        self._remove(self._reads, reader)

    def removeWriter(self, writer: Any) -> None:
        self._remove(self._writes, writer)

    def removeAll(self) -> list[Any]:
        found = self.getReaders() + self.getWriters()
        for turns in (self._reads, self._writes):
            for turn in list(turns.values()):
                self._remove(turns, turn.selectable)
        return found

    def getReaders(self) -> list[Any]:
        return [turn.selectable for turn in self._reads.values()]

    def getWriters(self) -> list[Any]:
        return [turn.selectable for turn in self._writes.values()]

    def _add(self, turns: dict[Handle, _Turn], selectable: Any, reads: bool) -> None:
        handle = self._handles.get(selectable.fileno())
        if handle is None:
            self.world.alarm(f"{selectable!r} is watched without a descriptor")
        elif handle not in turns:
            turns[handle] = _Turn(self, handle, selectable, reads)
            self.look_at(handle)

    def _remove(self, turns: dict[Handle, _Turn], selectable: Any) -> None:
        handle = self._handles.get(selectable.fileno())
        turn = turns.pop(handle, None) if handle is not None else None
        if turn is not None:
            self.world.cannot(turn)

    def _disconnectSelectable(self, selectable: Any, why: Any, isRead: bool, faildict: Any = None) -> None:
        try:
            if faildict is None:
                super()._disconnectSelectable(selectable, why, isRead)
            else:
                super()._disconnectSelectable(selectable, why, isRead, faildict)
        except Exception:
            self.world.alarm("the end of a connection raised:\n" + traceback.format_exc())

    def doIteration(self, delay: float | None) -> None:
        raise NotImplementedError("World.run is its loop")
