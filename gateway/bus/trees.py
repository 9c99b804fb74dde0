"""Which filters match a topic, and which topics a filter matches, without asking each of them: trees of levels.

The rules are those of `gateway.topics`. There ``a/#`` and ``a`` match the same, so a filter is the levels before its ``#``, and matches
what lies at their end or below, but not behind a level that begins with ``$``.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Generic, TypeVar

Value = TypeVar("Value")


class _Level(Generic[Value]):
    """What ends at a level, and the levels below it."""

    __slots__ = ("below", "values")

    def __init__(self) -> None:
        self.below: dict[str, _Level[Value]] = {}
        self.values: dict[Value, None] = {}


class _Tree(Generic[Value]):
    """Values, each at the end of some paths. What is found comes in the order in which it was added."""

    def __init__(self) -> None:
        self._root: _Level[Value] = _Level()
        self._paths: dict[Value, tuple[int, list[list[str]]]] = {}
        self._added = 0

    def remove(self, value: Value) -> None:
        for path in self._paths.pop(value)[1]:
            way = [self._root]
            for level in path:
                way.append(way[-1].below[level])
            way[-1].values.pop(value, None)
            while path and not way[-1].values and not way[-1].below:
                way.pop()
                del way[-1].below[path.pop()]

    def _add(self, value: Value, paths: list[list[str]]) -> None:
        self._added += 1
        # A path that is given twice leads to one place, which is left once.
        paths = [list(path) for path in dict.fromkeys(map(tuple, paths))]
        self._paths[value] = (self._added, paths)
        for path in paths:
            place = self._root
            for level in path:
                place = place.below.setdefault(level, _Level())
            place.values[value] = None

    def _in_order(self, found: Iterator[_Level[Value]]) -> list[Value]:
        return sorted({value: None for place in found for value in place.values}, key=lambda value: self._paths[value][0])


class FilterTree(_Tree[Value]):
    """``matching(topic)``: the values whose filters match it, each once."""

    def add(self, value: Value, filters: Sequence[str]) -> None:
        self._add(value, [_levels(filter) for filter in filters])

    def matching(self, topic: str) -> list[Value]:
        return self._in_order(self._matching(topic.split("/")))

    def _matching(self, levels: list[str]) -> Iterator[_Level[Value]]:
        hidden = max([depth for depth, level in enumerate(levels, 1) if level.startswith("$")], default=0)
        places = [self._root]
        for depth, level in enumerate(levels):
            if depth >= hidden:
                yield from places
            words = (level,) if level.startswith("$") else (level, "+")
            places = [place.below[word] for place in places for word in words if word in place.below]
        yield from places


class TopicTree(_Tree[Value]):
    """``matching(filter)``: the values with a topic that it matches, each once.

    A level of a topic that is ``blank`` stands for any one that a ``+`` would match.
    """

    def __init__(self, blank: str = "") -> None:
        super().__init__()
        self._blank = blank

    def add(self, value: Value, topics: Sequence[str]) -> None:
        self._add(value, [topic.split("/") for topic in topics])

    def matching(self, filter: str) -> list[Value]:
        return self._in_order(self._matching(_levels(filter)))

    def alike(self, topic: str) -> list[Value]:
        """The values with a topic that can be the same as this one."""
        places = [self._root]
        for level in topic.split("/"):
            if level == self._blank:
                places = [below for place in places for below in place.below.values()]
            else:
                words = (level, self._blank)
                places = [place.below[word] for place in places for word in words if word in place.below]
        return self._in_order(iter(places))

    def _matching(self, levels: list[str]) -> Iterator[_Level[Value]]:
        places = [self._root]
        for level in levels:
            if level == "+":
                places = [below for place in places for below in _seen(place)]
            else:
                words = {level} if level.startswith("$") else {level, self._blank}
                places = [place.below[word] for place in places for word in words if word in place.below]
        while places:
            yield from places
            places = [below for place in places for below in _seen(place)]


def _seen(place: _Level[Value]) -> Iterator[_Level[Value]]:
    """The levels below that a wildcard or a prefix matches."""
    return (below for level, below in place.below.items() if not level.startswith("$"))


def _levels(filter: str) -> list[str]:
    levels = filter.split("/")
    return levels[: levels.index("#")] if "#" in levels else levels
