"""Whether anybody has a use for a source: so that a port with ``open = while-used`` is open only then.

A link *wants* while it has sessions: it wants what it hears, and those that hear it. A source *watches* and is told how many links
want it, at once and at each change.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Generic, TypeVar

from .trees import FilterTree, TopicTree


class Want:
    """One link's present want; ``cancel()`` when its last session has gone."""

    def __init__(self, demand: Demand, topic: str, filters: Sequence[str]) -> None:
        self._demand = demand
        self.topic = topic
        self.filters = tuple(filters)

    def cancel(self) -> None:
        self._demand._wanted_less(self)


class Source:
    """One source's view of the demand; ``cancel()`` ends it."""

    def __init__(self, demand: Demand, topic: str, filters: Sequence[str], tell: Callable[[int], None]) -> None:
        self._demand = demand
        self.topic = topic
        self.filters = tuple(filters)
        self._tell = tell
        self._wants = 0
        self._told: int | None = None

    def cancel(self) -> None:
        self._demand._sources.remove(self)

    def _say(self) -> None:
        if self._wants != self._told:
            self._told = self._wants
            self._tell(self._wants)


Each = TypeVar("Each", Want, Source)


class _Those(Generic[Each]):
    """Wants, or sources: found by what they hear and by who hears them."""

    def __init__(self) -> None:
        self._hearing: FilterTree[Each] = FilterTree()
        self._heard: TopicTree[Each] = TopicTree()

    def add(self, each: Each) -> None:
        self._hearing.add(each, each.filters)
        self._heard.add(each, [each.topic])

    def remove(self, each: Each) -> None:
        self._hearing.remove(each)
        self._heard.remove(each)

    def joined(self, topic: str, filters: Iterable[str]) -> list[Each]:
        """Those that hear this topic, or are heard through these filters, each once."""
        found = self._hearing.matching(topic)
        for filter in filters:
            found += self._heard.matching(filter)
        return list(dict.fromkeys(found))


class Demand:
    """All wants and watches."""

    def __init__(self) -> None:
        self._wants: _Those[Want] = _Those()
        self._sources: _Those[Source] = _Those()

    def want(self, topic: str, filters: Sequence[str]) -> Want:
        """Say that a link with this topic, which hears these filters, has sessions."""
        want = Want(self, topic, filters)
        self._wants.add(want)
        self._count(want, 1)
        return want

    def watch(self, topic: str, filters: Sequence[str], tell: Callable[[int], None]) -> Source:
        """Have ``tell`` called with the number of links that want ``topic`` or are heard through ``filters``; now and at each change."""
        source = Source(self, topic, filters, tell)
        self._sources.add(source)
        source._wants = len(self._wants.joined(topic, filters))
        source._say()
        return source

    def _wanted_less(self, want: Want) -> None:
        self._wants.remove(want)
        self._count(want, -1)

    def _count(self, want: Want, by: int) -> None:
        sources = self._sources.joined(want.topic, want.filters)
        for source in sources:
            source._wants += by
        for source in sources:
            source._say()
