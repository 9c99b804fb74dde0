"""Why a connection ended, in words."""

from __future__ import annotations

from twisted.internet import error
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gateway.reasons import in_words


class ReasonsTests(SynchronousTestCase):
    def test_words(self) -> None:
        """Twisted's own errors are told briefly; those of others, and what has a text of its own, as they are."""
        for value, words in (
            (error.ConnectionDone(), "closed by the peer"),
            (error.ConnectionLost(), "lost: reset, or gone without a word"),
            (error.ConnectionAborted(), "cut"),
            (error.ConnectionRefusedError(), "connection refused"),
            (error.TimeoutError(), "no answer in time"),
            (OSError("unplugged"), "unplugged"),
            (ValueError(), "ValueError"),
        ):
            self.assertEqual(in_words(Failure(value)), words)
