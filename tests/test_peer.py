"""What is known of a peer."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.peer import PLAIN, Peer


class SecurityTests(SynchronousTestCase):
    def test_plain(self) -> None:
        """A plain peer on a plain port has no identity, and may write where the configuration lets it."""
        self.assertEqual(PLAIN, Peer(False, "", True, ""))
