"""A link that listens."""

from __future__ import annotations

from typing import Any

from twisted.internet.defer import Deferred, succeed
from twisted.trial.unittest import SynchronousTestCase

from gateway.links.acceptor import ListeningLink
from gateway.peer import PLAIN

from ..building import Wire, make_plan, make_runtime


class Listener:
    def __init__(self) -> None:
        self.told: list[str] = []

    def start(self) -> None:
        self.told.append("start")

    def stop(self) -> Deferred[Any]:
        self.told.append("stop")
        return succeed(None)


class ListeningTests(SynchronousTestCase):
    def test_life(self) -> None:
        """It listens from its start to its stop, and has a session for each client that is not one too many."""
        link: Any = ListeningLink(make_plan("lan", max_sessions=1), make_runtime())
        link.listener = Listener()
        link.start()
        link.accepted("10.0.0.1", PLAIN).makeConnection(Wire())
        self.assertIsNone(link.accepted("10.0.0.2", PLAIN))
        self.assertEqual(([session.peer for session in link.sessions], link.counters["refused_sessions"]), (["10.0.0.1"], 1))
        stopped = link.stop()
        self.assertEqual(link.listener.told, ["start", "stop"])
        self.assertNoResult(stopped)
        next(iter(link.sessions)).lost("closed", clean=False)
        self.successResultOf(stopped)
