"""Back-pressure: who waits for whom."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.bus.gates import Gate


class Peer:
    """A session that publishes, and whether it waits at a gate."""

    def __init__(self, topic: str = "lan") -> None:
        self.topic = topic
        self.waits = False
        self.changes = 0

    def pause(self, token: object) -> None:
        self.waits = True
        self.changes += 1

    def resume(self, token: object) -> None:
        self.waits = False
        self.changes += 1


class GateTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.gate = Gate(("lan", "web"))
        self.lan, self.web, self.gps = peers = Peer("lan"), Peer("web/7"), Peer("gps")
        for peer in peers:
            self.gate.enter(peer)

    def waiting(self) -> list[bool]:
        return [peer.waits for peer in (self.lan, self.web, self.gps)]

    def test_first_and_last(self) -> None:
        """The first that has no room pauses those who publish to it, the last lets them go on; in between nothing happens."""
        for token in ("a", "b", "c", "c"):
            self.gate.close(token)
        self.assertEqual(self.waiting(), [True, True, False])
        self.assertEqual([self.gate.open(token) for token in ("a", "a", "b")], [True, False, True])
        self.assertEqual(self.waiting(), [True, True, False])
        self.gate.open("c")
        self.assertEqual(self.waiting(), [False, False, False])
        self.assertEqual([peer.changes for peer in (self.lan, self.web, self.gps)], [2, 2, 0])

    def test_never_for_itself(self) -> None:
        """One that hears what it publishes does not wait for itself; it waits for others, and they for it."""
        self.gate.close(self.lan)
        self.assertEqual(self.waiting(), [False, True, False])
        self.gate.close("a")
        self.assertEqual(self.waiting(), [True, True, False])
        self.gate.open("a")
        self.assertEqual(self.waiting(), [False, True, False])
        self.gate.close(self.web)
        self.gate.open(self.lan)
        self.assertEqual(self.waiting(), [True, False, False])
        self.gate.open(self.web)
        self.assertEqual(self.waiting(), [False, False, False])

    def test_never_for_itself_twice(self) -> None:
        """One that says twice that it has no room does not wait for itself either."""
        self.gate.close(self.lan)
        self.gate.close(self.lan)
        self.assertEqual(self.waiting(), [False, True, False])

    def test_comings_and_goings(self) -> None:
        """One that comes while the gate is closed waits from the start; one that has gone is asked nothing more."""
        self.gate.close("a")
        newcomer = Peer("web")
        self.gate.enter(newcomer)
        self.assertTrue(newcomer.waits)
        self.gate.leave(newcomer)
        self.gate.leave(newcomer)
        self.gate.open("a")
        self.assertEqual(newcomer.changes, 1)

    def test_closed_by_itself_only(self) -> None:
        """One that comes to a gate that it keeps closed itself does not wait there."""
        gate = Gate(("lan",))
        gate.close(self.lan)
        gate.enter(self.lan)
        self.assertFalse(self.lan.waits)

    def test_filled_again(self) -> None:
        """Where the first that is let go on fills it again, the others wait on."""
        self.gate.close("a")
        self.lan.resume = lambda token: self.gate.close("a")  # type: ignore[method-assign]
        self.gate.open("a")
        self.assertTrue(self.web.waits)
