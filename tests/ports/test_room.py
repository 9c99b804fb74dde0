"""The back-pressure of our own transports."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.ports.room import ROOM, Room

from ..building import Producer


class RoomTests(SynchronousTestCase):
    def test_paused_and_resumed(self) -> None:
        """The producer is paused once when too much waits, and resumed once when nothing does."""
        room, producer = Room(), Producer()
        room.registerProducer(producer, True)
        room.filled(ROOM)
        self.assertEqual(producer.calls, [])
        room.filled(1)
        room.filled(1)
        self.assertEqual((producer.calls, room.pending), (["pause"], ROOM + 2))
        room.emptied()
        room.emptied()
        self.assertEqual(producer.calls, ["pause", "resume"])

    def test_nobody_to_tell(self) -> None:
        """Without a producer, or with one that has left, nothing is paused or resumed."""
        room, producer = Room(), Producer()
        room.filled(ROOM + 1)
        room.registerProducer(producer, True)
        room.unregisterProducer()
        room.filled(1)
        room.emptied()
        self.assertEqual(producer.calls, [])
