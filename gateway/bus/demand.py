"""Whether anybody has a use for a source: so that a port with ``open = while-used`` is open only then.

A link *wants* while it has sessions: it wants what it hears, and those that hear it. A source *watches* and is told how many links
want it, at once and at each change.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from ..topics import matches


class Want:
    """One link's present want; ``cancel()`` when its last session has gone."""

    def __init__(self, demand: Demand, topic: str, filters: Sequence[str]) -> None:
        self._demand = demand
        self.topic = topic
        self.filters = tuple(filters)

    def cancel(self) -> None:
        self._demand._wants.remove(self)
        self._demand._tell()


class Source:
    """One source's view of the demand; ``cancel()`` ends it."""

    def __init__(self, demand: Demand, topic: str, filters: Sequence[str], tell: Callable[[int], None]) -> None:
        self._demand = demand
        self._topic = topic
        self._filters = tuple(filters)
        self._tell = tell
        self._count: int | None = None

    def cancel(self) -> None:
        self._demand._sources.remove(self)

    def _look(self, wants: Sequence[Want]) -> None:
        count = sum(
            1
            for want in wants
            if any(matches(filter, self._topic) for filter in want.filters) or any(matches(filter, want.topic) for filter in self._filters)
        )
        if count != self._count:
            self._count = count
            self._tell(count)


class Demand:
    """All wants and watches."""

    def __init__(self) -> None:
        self._wants: list[Want] = []
        self._sources: list[Source] = []

    def want(self, topic: str, filters: Sequence[str]) -> Want:
        """Say that a link with this topic, which hears these filters, has sessions."""
        want = Want(self, topic, filters)
        self._wants.append(want)
        self._tell()
        return want

    def watch(self, topic: str, filters: Sequence[str], tell: Callable[[int], None]) -> Source:
        """Have ``tell`` called with the number of links that want ``topic`` or are heard through ``filters``; now and at each change."""
        source = Source(self, topic, filters, tell)
        self._sources.append(source)
        source._look(self._wants)
        return source

    def _tell(self) -> None:
        for source in list(self._sources):
            source._look(self._wants)
