"""Who hears what, in what order.

A turn queue: what a hearer publishes while it hears waits until the present batch has reached everybody, so an answer never overtakes
its question. A hearer that was cancelled hears nothing more, not even in the present turn; one that raises is reported and harms
nobody else. A batch with an address goes there and nowhere else. Back-pressure goes against the stream, through `gates`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import Protocol

from ..packet import Batch
from .gates import Gate, Publisher
from .trees import FilterTree

_CACHED_TOPICS = 4096

Hearer = Callable[[Batch], None]


class Addressee(Publisher, Protocol):
    """Who can be at an address."""

    @property
    def name(self) -> str:
        """What people call it."""

    def accepts(self, topic: str) -> bool:
        """Whether it takes a batch of this topic."""

    def answer(self, batch: Batch) -> None:
        """Take a batch that is for it alone."""


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
    """Topics and addresses on one side, hearers on the other.

    ``on_error(name, error)`` is told when the hearer ``name`` raised, ``on_gone(batch)`` when a batch was for an address that has gone
    while it waited for its turn.
    """

    def __init__(self, on_error: Callable[[str, Exception], None], on_gone: Callable[[Batch], None]) -> None:
        self._on_error = on_error
        self._on_gone = on_gone
        self._subscriptions: FilterTree[Subscription] = FilterTree()
        self._hearers: dict[str, tuple[Subscription, ...]] = {}
        self._addresses: dict[str, Addressee] = {}
        self._mourners: dict[str, list[Callable[[str], None]]] = {}
        self._gates: dict[tuple[str, ...], Gate] = {}
        self._gate_of: FilterTree[Gate] = FilterTree()
        self._waiting: deque[Batch] = deque()
        self.delivering = ""
        """The topic of the batch that is being delivered now; "" between."""
        self._busy = False

    # Topics

    def subscribe(self, filters: Sequence[str], hearer: Hearer, name: str) -> Subscription:
        """Call ``hearer`` with each batch whose topic matches a filter: once, even if several match."""
        subscription = Subscription(self, name, filters, hearer)
        self._subscriptions.add(subscription, subscription.filters)
        self._hearers.clear()
        return subscription

    def heard(self, topic: str) -> bool:
        """Whether anybody hears this topic now."""
        hearers = self._hearers.get(topic)
        return bool(self._hearers_of(topic) if hearers is None else hearers)

    def publish(self, batch: Batch) -> bool:
        """Give the batch to all that hear its topic, or to its address alone; never raises for their faults.

        False: it has an address, and nobody is there who accepts it.
        """
        if batch.to and not self.accepts(batch.to, batch.topic):
            return False
        self._waiting.append(batch)
        if not self._busy:
            self._busy = True
            try:
                while self._waiting:
                    batch = self._waiting.popleft()
                    self.delivering = batch.topic
                    self._deliver(batch)
            finally:
                self._busy = False
                self.delivering = ""
        return True

    # Addresses

    def enrol(self, address: str, there: Addressee) -> None:
        """Give ``there`` what is for this address. What it publishes may have to wait: at once, if whoever hears it has no room."""
        self._addresses[address] = there
        for gate in self._gate_of.matching(there.topic):
            gate.enter(there)

    def dismiss(self, address: str) -> None:
        """Nobody is there any more."""
        there = self._addresses.pop(address, None)
        if there is not None:
            for gate in self._gate_of.matching(there.topic):
                gate.leave(there)
            for gone in self._mourners.pop(address, ()):
                gone(address)

    def mourn(self, address: str, gone: Callable[[str], None]) -> None:
        """Have ``gone(address)`` called when this address, where somebody is, is left."""
        self._mourners.setdefault(address, []).append(gone)

    def accepts(self, address: str, topic: str) -> bool:
        """Whether somebody is at this address who would take a batch of this topic."""
        there = self._addresses.get(address)
        return there is not None and there.accepts(topic)

    def name(self, address: str) -> str:
        """What people call who is there: a peer's address; the address itself when nobody is."""
        there = self._addresses.get(address)
        return there.name if there is not None else address

    def gate(self, filters: Sequence[str]) -> Gate:
        """Where those wait who publish what these filters match, while whoever hears it has no room. The same for equal filters."""
        key = tuple(filters)
        gate = self._gates.get(key)
        if gate is None:
            gate = self._gates[key] = Gate(key)
            self._gate_of.add(gate, key)
            for there in self._addresses.values():
                gate.enter(there)
        return gate

    def _deliver(self, batch: Batch) -> None:
        if batch.to:
            there = self._addresses.get(batch.to)
            if there is None:
                self._on_gone(batch)
            else:
                self._call(batch.to, there.answer, batch)
            return
        hearers = self._hearers.get(batch.topic)
        for subscription in self._hearers_of(batch.topic) if hearers is None else hearers:
            if subscription.active:
                self._call(subscription.name, subscription.hearer, batch)
        batch.frames.join()  # whoever has still to wait for it keeps the bytes alone

    def _call(self, name: str, hearer: Hearer, batch: Batch) -> None:
        try:
            hearer(batch)
        except Exception as error:  # one hearer's fault is its own
            self._on_error(name, error)

    def _hearers_of(self, topic: str) -> tuple[Subscription, ...]:
        found = tuple(self._subscriptions.matching(topic))
        if len(self._hearers) >= _CACHED_TOPICS:
            self._hearers.clear()
        self._hearers[topic] = found
        return found

    def _cancelled(self, subscription: Subscription) -> None:
        self._subscriptions.remove(subscription)
        self._hearers.clear()
