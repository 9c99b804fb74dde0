"""Sessions with one far end that is kept: a device, a capture, a server that is dialed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from twisted.internet.defer import Deferred, succeed

from ..bus.demand import Source
from ..bus.outbox import Outbox
from ..net.keepers import Backoff, Keeper
from ..packet import Batch
from ..peer import Ended
from .held import Held
from .link import Link
from .session import Session


class Dial(Protocol):
    """How the far end is opened or dialed."""

    place: str
    """Where it is, as the user wrote it."""
    resyncs: bool
    """Whether a lost boundary is left to the framer: to close and open a port would lose more, and reset some devices."""
    rests: bool
    """Whether a session that nobody uses rests (nothing is read) rather than being closed; with ``open = while-used``."""

    comes_back: bool
    """Whether there may be more after a regular end."""

    def attempt(self, link: Link) -> Deferred[Any]:
        """Open or dial: fires when a session is connected, with words about it or None; fails with a reason that a person can read."""

    def look_out(self, wake: Callable[[], None] | None) -> None:
        """A wait begins: call ``wake`` at a sign of the far end's return. None: the wait is over."""

    def opened(self, link: Link, session: Session) -> None: ...
    def ended(self, session: Session) -> None: ...


class Connector:
    """Keeps one session: tries, and tries again when it has ended. ``while_used``: only while somebody has a use for it."""

    listens = False
    link: Link
    keeper: Keeper

    def __init__(self, dial: Dial, *, while_used: bool = False) -> None:
        self._dial = dial
        self._while_used = while_used
        self._used = not while_used
        self._demand: Source | None = None
        self.wanting = not while_used

    def bind(self, link: Link) -> None:
        self.link = link
        self.held = Held(link)
        runtime = link.runtime
        what, backoff = f"[{link.name}] {self._dial.place}", Backoff(jitter=runtime.chance.random)
        self.keeper = Keeper(what, self._attempt, runtime.reactor, runtime.log, backoff, self._waiting)

    @property
    def waiting(self) -> int:
        return self.held.waiting

    def start(self) -> None:
        if self._while_used:
            self._demand = self.link.runtime.demand.watch(self.link.topic, self.link.hears, self._demanded)
        if self._used or self._dial.rests:
            self.keeper.start()

    def stop(self) -> Deferred[Any]:
        if self._demand is not None:
            self._demand.cancel()
            self._demand = None
        self._used = False
        self.keeper.stop()
        self.held.forget("the gateway stops", "stopped")
        return succeed(None)

    def opened(self, session: Session) -> None:
        self.link.report("connected", "connected", session, level="")
        self._dial.opened(self.link, session)
        if not self._used:
            session.pause(self)
        self.held.hand_over(session)

    def ended(self, session: Session, ended: Ended, unsent: Outbox | None) -> None:
        # What was not under way yet may wait for the next session; what was is cut, and never sent again.
        if unsent and self.held.holds and ended.kind != "local" and self.keeper.state != "stopped":
            self.held.keep(session, unsent)
        else:
            self.held.drop(session, "the session ended")
        try:
            self._dial.ended(session)
        except Exception:  # a fault of ours: the far end is tried again all the same
            self.link.report("failures", "failed while it was closed", session, level="failure")
        unused = self._while_used and not self._used and not self._dial.rests
        self.link.report("disconnected", f"closed: {ended.text}", session, level="info" if unused else "")
        if ended.clean and not self._dial.comes_back:
            self.keeper.stop()
            self.held.give_up()
            return
        self.keeper.lost(ended.text)
        if self._used and self._while_used and self.keeper.state == "stopped":
            self.keeper.start()

    def lost_boundary(self, session: Session, text: str) -> None:
        if not self._dial.resyncs:
            session.abort(text)

    def absent(self, batch: Batch) -> None:
        self.held.take(batch)

    def _attempt(self) -> Deferred[Any]:
        return self._dial.attempt(self.link)

    def _waiting(self, begins: bool) -> None:
        self._dial.look_out(self.keeper.wake if begins else None)

    def _demanded(self, count: int) -> None:
        self._used = bool(count)
        sessions = list(self.link.sessions)
        if self._dial.rests:
            for session in sessions:
                if self._used:
                    session.resume(self)
                else:
                    session.pause(self)
        elif not self._used:
            self.keeper.stop()
            for session in sessions:
                session.close("nobody uses it (open = while-used)")
        elif not sessions:
            self.keeper.start()
