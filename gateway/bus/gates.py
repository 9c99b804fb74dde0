"""Back-pressure: whoever has no room closes a gate, and all who publish to it wait there until it is open again.

One gate stands before all hearers with the same filters: the sessions of one link. However many of them have no room, publishers are
paused once, when the first closes the gate, and resumed once, when the last opens it: a thousand blocked readers cost what one costs.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from ..topics import matches


class Publisher(Protocol):
    """What a gate asks of a session."""

    topic: str

    def pause(self, token: object) -> None:
        """Publish nothing more until every token that paused it has resumed it."""

    def resume(self, token: object) -> None:
        """Take one token back."""


class Gate:
    """Pauses the sessions whose topic matches a filter while anybody but themselves keeps it closed; it is the token that they get."""

    __slots__ = ("_closed_by", "_filters", "_publishers")

    def __init__(self, filters: Sequence[str]) -> None:
        self._filters = tuple(filters)
        self._publishers: dict[object, Publisher] = {}
        self._closed_by: dict[object, None] = {}

    def enter(self, session: Publisher) -> None:
        """A session may publish from now on; it is paused at once if the gate is closed."""
        if any(matches(filter, session.topic) for filter in self._filters):
            self._publishers[session] = session
            if len(self._closed_by) > (session in self._closed_by):
                session.pause(self)

    def leave(self, session: Publisher) -> None:
        """A session has ended."""
        self._publishers.pop(session, None)

    def close(self, token: object) -> None:
        """``token``, a session or a link, has no room. It never waits for itself alone."""
        if token in self._closed_by:
            return
        before = len(self._closed_by)
        first = next(iter(self._closed_by)) if before == 1 else None
        self._closed_by[token] = None
        if not before:
            for session in tuple(self._publishers.values()):
                if session is not token:
                    session.pause(self)
        elif before == 1 and first in self._publishers:
            self._publishers[first].pause(self)

    def open(self, token: object) -> bool:
        """``token`` has room again; whether it had none."""
        if token not in self._closed_by:
            return False
        del self._closed_by[token]
        if not self._closed_by:
            for session in tuple(self._publishers.values()):
                if self._closed_by:  # one that was resumed has filled it again: the others wait on
                    break
                session.resume(self)
        elif len(self._closed_by) == 1 and (last := next(iter(self._closed_by))) in self._publishers:
            self._publishers[last].resume(self)
        return True
