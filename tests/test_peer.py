"""What is known of a peer."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.peer import PLAIN, Peer


class PeerTests(SynchronousTestCase):
    def test_plain(self) -> None:
        """A plain connection to a plain port has no identity, and may write."""
        self.assertEqual(PLAIN, Peer(False, "", True, ""))
