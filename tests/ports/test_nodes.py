"""The node of a device: it comes, it goes, it leads elsewhere."""

from __future__ import annotations

import os
from pathlib import Path

from twisted.internet.task import Clock
from twisted.trial.unittest import SynchronousTestCase

from gateway.net.watch import Watch
from gateway.ports.devices import Devices
from gateway.ports.errors import PortAbsentError
from gateway.ports.nodes import LOOK, Node


class NodeTestCase(SynchronousTestCase):
    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.clock = Clock()
        self.looks = Watch[Node](self.clock, LOOK, lambda node, now: node.look(), lambda node: self.fail("cannot look"))
        self.node = Node(str(self.path), Devices(), self.looks)
        self.woken = 0

    def wake(self) -> None:
        self.woken += 1

    def look(self) -> int:
        """How often it has woken after one more look."""
        self.clock.advance(LOOK)
        return self.woken


class ReturnTests(NodeTestCase):
    def test_comes(self) -> None:
        """A node that comes wakes once, at the next look, and is then looked for no more."""
        self.node.look_out(self.wake)
        self.assertEqual(self.look(), 0)
        self.path.symlink_to("/dev/null")
        self.assertEqual((self.look(), self.look(), self.clock.getDelayedCalls()), (1, 1, []))

    def test_there_already(self) -> None:
        """A node that was there when the wait began, and could not be opened, is no news."""
        self.path.symlink_to("/dev/null")
        self.node.look_out(self.wake)
        self.assertEqual([self.look() for _ in range(3)], [0, 0, 0])
        self.node.look_out(None)

    def test_goes_and_comes(self) -> None:
        """One that goes is no reason to wake, and its return is; so is another in its place."""
        self.path.symlink_to("/dev/null")
        self.node.look_out(self.wake)
        self.path.unlink()
        self.assertEqual(self.look(), 0)
        self.path.symlink_to("/dev/null")
        self.assertEqual(self.look(), 1)
        self.node.look_out(self.wake)
        self.path.unlink()
        self.path.symlink_to("/dev/zero")
        self.assertEqual(self.look(), 2)

    def test_access(self) -> None:
        """One whose access rights change wakes too: udev sets them a moment after it makes the node."""
        self.path.touch(0o600)
        self.node.look_out(self.wake)
        self.assertEqual(self.look(), 0)
        self.path.chmod(0o660)
        self.assertEqual(self.look(), 1)

    def test_not_found(self) -> None:
        """A device that is found by another name is absent while the search finds none."""
        found: list[str] = []

        class Searched(Devices):
            def find(self, device: str) -> str:
                if not found:
                    raise PortAbsentError("is not there")
                return found[0]

        node = Node("usb:1234:5678", Searched(), self.looks)
        node.look_out(self.wake)
        self.assertEqual(self.look(), 0)
        found.append("/dev/null")
        self.assertEqual(self.look(), 1)

    def test_stop(self) -> None:
        """None ends the wait, twice too, and leaves no timer; a new wait takes the place of the old."""
        self.node.look_out(self.wake)
        self.node.look_out(self.wake)
        self.assertEqual(len(self.clock.getDelayedCalls()), 1)
        self.node.look_out(None)
        self.node.look_out(None)
        self.assertEqual(self.clock.getDelayedCalls(), [])


class ReplacedTests(NodeTestCase):
    def test_replaced(self) -> None:
        """A path that leads to another device than the one that was opened is told; one that is gone, or the same again, is not."""
        self.path.symlink_to("/dev/null")
        self.node.opened(str(self.path))
        self.assertFalse(self.node.replaced)
        self.path.unlink()
        self.assertFalse(self.node.replaced)
        os.symlink("/dev/zero", self.path)
        self.assertTrue(self.node.replaced)
        self.node.opened(str(self.path))
        self.assertFalse(self.node.replaced)

    def test_never_opened(self) -> None:
        """Nothing is replaced before it was opened."""
        self.path.symlink_to("/dev/null")
        self.assertFalse(self.node.replaced)
