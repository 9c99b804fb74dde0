"""Threads of their own."""

from __future__ import annotations

import threading

from twisted.trial.unittest import SynchronousTestCase

from gateway.net import threads


class ThreadTests(SynchronousTestCase):
    def test_start(self) -> None:
        """Work runs in another thread, under its name, and the end of the program does not wait for it."""
        found: list[threading.Thread] = []
        done = threads.Event()

        def work() -> None:
            found.append(threading.current_thread())
            done.set()

        threads.start(work, "open rfc2217://scale")
        self.assertTrue(done.wait(10))
        self.assertIsNot(found[0], threading.current_thread())
        self.assertEqual((found[0].name, found[0].daemon), ("open rfc2217://scale", True))
