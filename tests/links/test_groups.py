"""Sessions that want the same bytes."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

from twisted.trial.unittest import SynchronousTestCase

from gateway.links.groups import Group, Groups
from gateway.links.session import Session
from gateway.peer import PLAIN

from ..building import make_link, make_runtime


class Said:
    """A wire with a representation of its own."""

    def __init__(self, representation: Hashable) -> None:
        self.representation = representation


class GroupsTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.groups = Groups()
        self.link = make_link(make_runtime(), "lan")

    def session(self, representation: Hashable) -> Session:
        session = self.link.new_session(PLAIN)
        wire: Any = Said(representation)
        session.wire = wire
        self.groups.add(session)
        return session

    def members(self) -> list[tuple[Session, ...]]:
        return [group.members for group in self.groups]

    def test_by_representation(self) -> None:
        """Equal representations share a group; a loop over members is not disturbed by who comes or goes, and an empty group goes."""
        one, two, three = self.session("stream"), self.session("stream"), self.session(None)
        self.assertEqual([group.representation for group in self.groups], ["stream", None])
        before = next(iter(self.groups)).members
        self.groups.remove(one)
        self.assertEqual((before, self.members()), ((one, two), [(two,), (three,)]))
        self.groups.remove(two)
        self.assertEqual(self.members(), [(three,)])

    def test_newcomer(self) -> None:
        """One that comes after the members were looked at is among them the next time; a group that nobody has come to has none."""
        one = self.session("stream")
        before = self.members()
        two = self.session("stream")
        self.assertEqual((before, self.members(), Group("stream").members), ([(one,)], [(one, two)], ()))

    def test_changed(self) -> None:
        """A session whose wire has changed leaves the group that it came into, or moves when it is added again."""
        one, two = self.session("stream"), self.session("stream")
        for session in (one, two):
            wire: Any = session.wire
            wire.representation = "binary"
        self.groups.remove(one)
        self.groups.add(two)
        self.assertEqual(self.members(), [(two,)])
        self.groups.remove(one)
