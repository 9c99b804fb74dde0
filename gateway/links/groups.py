"""The sessions of a link, by how they want packets: those that want the same bytes share them."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator

from ..packet import Batch
from .session import Session

Encoder = Callable[[Batch], bytes]


class Group:
    """Sessions of one representation, and the function that makes its bytes; those of ``own`` each encode for themselves."""

    __slots__ = ("_members", "_sessions", "encode", "own")

    def __init__(self, encode: Encoder, own: bool) -> None:
        self.encode = encode
        self.own = own
        self._sessions: dict[Session, None] = {}
        self._members: tuple[Session, ...] | None = None

    @property
    def members(self) -> tuple[Session, ...]:
        """The sessions as they are now; whoever comes or goes meanwhile does not disturb a loop over it."""
        if self._members is None:
            self._members = tuple(self._sessions)
        return self._members

    def add(self, session: Session) -> None:
        self._sessions[session] = None
        self._members = None

    def remove(self, session: Session) -> None:
        del self._sessions[session]
        self._members = None


class Groups:
    """All groups of a link. ``encoder(representation)`` is asked once for each; for None, the sessions' own, it is not."""

    def __init__(self, encoder: Callable[[Hashable], Encoder]) -> None:
        self._encoder = encoder
        self._groups: dict[Hashable, Group] = {}
        self._homes: dict[Session, Group] = {}

    def __iter__(self) -> Iterator[Group]:
        return iter(tuple(self._groups.values()))

    def add(self, session: Session) -> None:
        """Put a session into the group of its representation; one that has changed its own is moved by this."""
        self.remove(session)
        group = self._homes[session] = self._group(session)
        group.add(session)

    def remove(self, session: Session) -> None:
        """Take a session out, whatever its representation is by now."""
        group = self._homes.pop(session, None)
        if group is not None:
            group.remove(session)

    def encoder_of(self, session: Session) -> Encoder:
        """What encodes for a session's present representation."""
        return self._group(session).encode

    def _group(self, session: Session) -> Group:
        group = self._groups.get(session.representation)
        if group is None:
            wanted = session.representation
            encode = _nothing if wanted is None else self._encoder(wanted)
            group = self._groups[wanted] = Group(encode, wanted is None)
        return group


def _nothing(batch: Batch) -> bytes:
    return b""
