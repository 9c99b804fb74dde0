"""Who hears what, in what order.

A turn queue: what a hearer publishes while it hears waits until the present batch has reached everybody, so an answer never overtakes
its question. A hearer that was cancelled hears nothing more, not even in the present turn; one that raises is reported and harms
nobody else. Sessions are enrolled by id, for two things that go against the stream: an answer to one session alone, and back-pressure
upon all who publish to one that has no room.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from .packet import Batch
from .topics import matches

_CACHED_TOPICS = 4096


class Enrolled(Protocol):
    """What the bus asks of a session."""

    topic: str
    peer: str

    def answer(self, batch: Batch) -> None:
        """Take a batch that is for this session alone."""

    def pause(self, token: object) -> None:
        """Publish nothing more until every token that paused it has resumed it."""

    def resume(self, token: object) -> None:
        """Take one token back."""


class Subscription:
    """One hearer and its filters; ``cancel()`` ends it at once."""

    __slots__ = ("_bus", "active", "filters", "hearer", "name")

    def __init__(self, bus: Bus, name: str, filters: Sequence[str], hearer: Callable[[Batch], None]) -> None:
        self._bus = bus
        self.name = name
        self.filters = tuple(filters)
        self.hearer = hearer
        self.active = True

    def cancel(self) -> None:
        if self.active:
            self.active = False
            self._bus._cancelled(self)


class Bus:
    """Topics on one side, hearers on the other. ``on_error(name, error)`` is told when the hearer ``name`` raised."""

    def __init__(self, on_error: Callable[[str, Exception], None]) -> None:
        self._on_error = on_error
        self._subscriptions: list[Subscription] = []
        self._hearers: dict[str, tuple[Subscription, ...]] = {}
        self._sessions: dict[str, Enrolled] = {}
        self._blocks: dict[object, tuple[str, ...]] = {}
        self._waiting: deque[Batch] = deque()
        self._busy = False

    def subscribe(self, filters: Sequence[str], hearer: Callable[[Batch], None], name: str) -> Subscription:
        """Call ``hearer`` with each batch whose topic matches a filter: once, even if several match."""
        subscription = Subscription(self, name, filters, hearer)
        self._subscriptions.append(subscription)
        self._hearers.clear()
        return subscription

    def heard(self, topic: str) -> bool:
        """Whether anybody hears this topic now."""
        hearers = self._hearers.get(topic)
        return bool(self._hearers_of(topic) if hearers is None else hearers)

    def publish(self, batch: Batch) -> None:
        """Give the batch to all that hear its topic, or to the session in ``reply_to`` alone; never raises for their faults."""
        self._waiting.append(batch)
        if self._busy:
            return
        self._busy = True
        try:
            while self._waiting:
                self._deliver(self._waiting.popleft())
        finally:
            self._busy = False

    def enrol(self, id: str, session: Enrolled) -> None:
        """Make a session known under its id; it is paused if whoever hears it has no room now."""
        self._sessions[id] = session
        for token, filters in self._blocks.items():
            self._hold_back(session, token, filters)

    def dismiss(self, id: str) -> None:
        """Forget a session."""
        self._sessions.pop(id, None)

    def peer(self, id: str) -> str:
        """What people call a session: its peer's address, or its id when it is gone."""
        session = self._sessions.get(id)
        return session.peer if session is not None else id

    def block(self, token: object, filters: Sequence[str]) -> None:
        """Pause every session that publishes what matches, present and to come, until ``unblock(token)``."""
        if token not in self._blocks:
            self._blocks[token] = tuple(filters)
            for session in list(self._sessions.values()):
                self._hold_back(session, token, filters)

    def unblock(self, token: object) -> None:
        """Take one reason for pauses back."""
        if self._blocks.pop(token, None) is not None:
            for session in list(self._sessions.values()):
                session.resume(token)

    def _hold_back(self, session: Enrolled, token: object, filters: Sequence[str]) -> None:
        if session is not token and any(matches(filter, session.topic) for filter in filters):
            session.pause(token)

    def _deliver(self, batch: Batch) -> None:
        if batch.reply_to:
            session = self._sessions.get(batch.reply_to)
            if session is not None:
                self._call(batch.reply_to, session.answer, batch)
            return
        hearers = self._hearers.get(batch.topic)
        for subscription in self._hearers_of(batch.topic) if hearers is None else hearers:
            if subscription.active:
                self._call(subscription.name, subscription.hearer, batch)

    def _call(self, name: str, hearer: Callable[[Batch], None], batch: Batch) -> None:
        try:
            hearer(batch)
        except Exception as error:  # one hearer's fault is its own
            self._on_error(name, error)

    def _hearers_of(self, topic: str) -> tuple[Subscription, ...]:
        found = tuple(s for s in self._subscriptions if any(matches(filter, topic) for filter in s.filters))
        if len(self._hearers) >= _CACHED_TOPICS:
            self._hearers.clear()
        self._hearers[topic] = found
        return found

    def _cancelled(self, subscription: Subscription) -> None:
        self._subscriptions.remove(subscription)
        self._hearers.clear()
