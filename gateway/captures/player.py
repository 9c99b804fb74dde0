"""The transport of a capture that is played: bytes when they are due, and nowhere to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol

from twisted.internet.interfaces import IConsumer, IPushProducer
from zope.interface import implementer

from ..peer import Ended
from .pace import Burst

_LAG = 1.0
"""Who is later than this (a suspended machine) goes on from where it is, and does not catch up in a rush."""


class Receiver(Protocol):
    """Who a capture is played to."""

    def connected(self, transport: Any) -> None: ...
    def received(self, data: bytes) -> None: ...
    def lost(self, ended: Ended) -> None: ...

    def rewind(self) -> None:
        """The capture begins anew: its end and its beginning are not one packet."""


@implementer(IConsumer, IPushProducer)
class Player:
    """Gives ``receiver`` the bursts of ``passes``, each when it is due, at most one in a turn of the reactor.

    ``passes`` gives one iterator of bursts for each time that the capture is played; ``ended`` is called when there is none left.
    What is written to it is counted in ``discarded``, and ``unwritable`` is called the first time.
    """

    pending = 0

    def __init__(
        self,
        receiver: Receiver,
        passes: Iterator[Iterator[Burst]],
        reactor: Any,
        ended: Callable[[], None],
        unwritable: Callable[[], None],
    ) -> None:
        self.receiver = receiver
        self.connected = True
        self.discarded = 0
        self._passes = passes
        self._bursts: Iterator[Burst] = iter(())
        self._next: Burst | None = None
        self._reactor = reactor
        self._ended = ended
        self._unwritable = unwritable
        self._began = reactor.seconds()
        self._paused_at: float | None = None
        self._began_once = False
        self._turn: Any = reactor.callLater(0, self._play)
        receiver.connected(self)

    def write(self, data: bytes) -> None:
        if data and self.connected:
            if not self.discarded:
                self._unwritable()
            self.discarded += len(data)

    def registerProducer(self, producer: Any, streaming: bool) -> None:
        """It takes everything, so it has no reason ever to pause its producer."""

    def unregisterProducer(self) -> None:
        """See `registerProducer`."""

    def pauseProducing(self) -> None:
        if self._paused_at is None:
            self._paused_at = self._reactor.seconds()
            self._cancel()

    def resumeProducing(self) -> None:
        if self._paused_at is not None and self.connected and self._turn is None:
            self._began += self._reactor.seconds() - self._paused_at
            self._paused_at = None
            self._turn = self._reactor.callLater(0, self._play)

    def stopProducing(self) -> None:
        self.loseConnection()

    def loseConnection(self) -> None:
        self._cancel()
        if self.connected:
            self._turn = self._reactor.callLater(0, self._end, "closed", False)

    def abortConnection(self) -> None:
        self._end("closed", clean=False)

    def _play(self) -> None:
        self._turn = None
        try:
            burst = self._next or self._find_next()
        except OSError as error:
            self._end(f"cannot be read: {error.strerror}", clean=False)
            return
        if burst is None:
            self._ended()
            self._end("the end of the capture", clean=True)
            return
        now = self._reactor.seconds()
        late = now - self._began - burst.due
        if late < 0:
            self._next = burst
            self._turn = self._reactor.callLater(-late, self._play)
            return
        if late > _LAG:
            self._began += late
        self._next = None
        if burst.data:
            self.receiver.received(burst.data)
        if self.connected and self._paused_at is None and self._turn is None:
            self._turn = self._reactor.callLater(0, self._play)

    def _find_next(self) -> Burst | None:
        burst = next(self._bursts, None)
        while burst is None:
            bursts = next(self._passes, None)
            if bursts is None:
                return None
            if self._began_once:
                self.receiver.rewind()
            self._began_once = True
            self._bursts, self._began = bursts, self._reactor.seconds()
            burst = next(self._bursts, None)
        return burst

    def _cancel(self) -> None:
        if self._turn is not None and self._turn.active():
            self._turn.cancel()
        self._turn = None

    def _end(self, reason: str, clean: bool) -> None:
        if self.connected:
            self.connected = False
            self._cancel()
            self.receiver.lost(Ended("eof" if clean else "local", reason, clean))
