"""Sessions that want the same bytes."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.links.groups import Groups
from gateway.links.session import Session

from ..building import make_link, make_runtime


class GroupsTests(SynchronousTestCase):
    def test_by_representation(self) -> None:
        """Equal representations share a group and one encoder; a loop over members is not disturbed by who comes or goes."""
        asked: list[object] = []

        def encoder(representation):  # type: ignore[no-untyped-def]
            asked.append(representation)
            return lambda batch: b""

        link = make_link(make_runtime(), "lan")
        one, two, three = (Session(link, "x") for _ in range(3))
        three.representation = "other"
        groups = Groups(encoder)
        for session in (one, two, three):
            groups.add(session)
        self.assertEqual(asked, ["stream", "other"])
        first = next(iter(groups))
        before = first.members
        groups.remove(one)
        self.assertEqual((before, first.members), ((one, two), (two,)))
        self.assertEqual([group.members for group in groups], [(two,), (three,)])

    def test_changed(self) -> None:
        """A session that has changed its representation leaves the group that it came into, or moves when it is added again."""
        groups = Groups(lambda representation: lambda batch: str(representation).encode())
        link = make_link(make_runtime(), "lan")
        one, two = (Session(link, "x") for _ in range(2))
        for session in (one, two):
            groups.add(session)
            session.representation = "binary"
        groups.remove(one)
        groups.add(two)
        self.assertEqual([group.members for group in groups], [(), (two,)])
        groups.remove(one)
