"""The sessions of a link, by how they want packets: those that want the same bytes share them."""

from __future__ import annotations

from collections.abc import Hashable, Iterator

from .session import Session


class Group:
    """Sessions of one representation. Those of None each encode for themselves."""

    __slots__ = ("_members", "_sessions", "came", "representation")

    def __init__(self, representation: Hashable | None) -> None:
        self.representation = representation
        self._sessions: dict[Session, None] = {}
        self._members: tuple[Session, ...] | None = None
        self.came = 0
        """Packets that were for each of them, counted once for all (`Writer.shared`)."""

    @property
    def members(self) -> tuple[Session, ...]:
        """The sessions as they are now; whoever comes or goes meanwhile does not disturb a loop over it."""
        if self._members is None:
            self._members = tuple(self._sessions)
        return self._members

    def add(self, session: Session) -> None:
        self._sessions[session] = None
        self._members = None
        session.writer.account.came -= self.came

    def remove(self, session: Session) -> None:
        del self._sessions[session]
        self._members = None
        session.writer.account.came += self.came


class Groups:
    """All groups of a link."""

    def __init__(self) -> None:
        self._groups: dict[Hashable, Group] = {}

    def __iter__(self) -> Iterator[Group]:
        return iter(tuple(self._groups.values()))

    def add(self, session: Session) -> None:
        """Put a session into the group of its wire's representation; one whose wire has changed that is moved by this."""
        self.remove(session)
        wanted = session.wire.representation
        group = self._groups.get(wanted)
        if group is None:
            group = self._groups[wanted] = Group(wanted)
        session.group = group
        group.add(session)

    def remove(self, session: Session) -> None:
        """Take a session out, whatever its wire's representation is by now."""
        group, session.group = session.group, None
        if group is not None:
            group.remove(session)
            if not group.members:
                del self._groups[group.representation]
