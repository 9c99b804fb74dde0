"""Who hears what, in what order.

A turn queue: what a hearer publishes while it hears waits until the present batch has reached everybody, so an answer never overtakes
its question. A hearer that was cancelled hears nothing more, not even in the present turn; one that raises is reported and harms
nobody else. Sessions are enrolled by id, for two things that go against the stream: an answer to one session alone, and back-pressure
upon all who publish to one that has no room (`gates`).
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from ..packet import Batch
from ..topics import matches
from .gates import Gate, Publisher

_CACHED_TOPICS = 4096


class Enrolled(Publisher, Protocol):
    """What the bus asks of a session."""

    peer: str

    def answer(self, batch: Batch) -> None:
        """Take a batch that is for this session alone."""


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
    """Topics on one side, hearers on the other.

    ``on_error(name, error)`` is told when the hearer ``name`` raised, ``on_gone(batch)`` when a batch was for one session alone, and
    that has gone.
    """

    def __init__(self, on_error: Callable[[str, Exception], None], on_gone: Callable[[Batch], None]) -> None:
        self._on_error = on_error
        self._on_gone = on_gone
        self._subscriptions: list[Subscription] = []
        self._hearers: dict[str, tuple[Subscription, ...]] = {}
        self._sessions: dict[str, Enrolled] = {}
        self._gates: dict[tuple[str, ...], Gate] = {}
        self._closed: dict[object, Gate] = {}
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
        for gate in self._gates.values():
            gate.enter(session)

    def dismiss(self, id: str) -> None:
        """Forget a session."""
        session = self._sessions.pop(id, None)
        if session is not None:
            for gate in self._gates.values():
                gate.leave(session)

    def knows(self, id: str) -> bool:
        """Whether a session is enrolled under this id."""
        return id in self._sessions

    def peer(self, id: str) -> str:
        """What people call a session: its peer's address, or its id when it is gone."""
        session = self._sessions.get(id)
        return session.peer if session is not None else id

    def block(self, token: object, filters: Sequence[str]) -> None:
        """Pause every session that publishes what matches, present and to come, until ``unblock(token)``."""
        if token in self._closed:
            return
        gate = self._gates.get(tuple(filters))
        if gate is None:
            gate = self._gates[tuple(filters)] = Gate(filters)
            for session in self._sessions.values():
                gate.enter(session)
        self._closed[token] = gate
        gate.close(token)

    def unblock(self, token: object) -> None:
        """Take one reason for pauses back."""
        gate = self._closed.pop(token, None)
        if gate is not None:
            gate.open(token)

    def _deliver(self, batch: Batch) -> None:
        if batch.reply_to:
            session = self._sessions.get(batch.reply_to)
            if session is None:
                self._on_gone(batch)
            else:
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
