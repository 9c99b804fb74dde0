from __future__ import annotations

from typing import Any

from twisted.internet.address import IPv4Address, IPv6Address, UNIXAddress
from twisted.internet.error import NoProtocol
from twisted.python.failure import Failure
from twisted.trial.unittest import SynchronousTestCase

from gateway.net.building import InClear, built, name_of
from gateway.peer import PLAIN

from ..far_end import PEER, Application, Said


def broken(address: Any, peer: Any) -> Any:
    raise ZeroDivisionError


class BuildTests(SynchronousTestCase):
    def test_an_exception_closes_one_connection(self) -> None:
        """A builder that raises gives no application, and a log entry that names link and peer; whoever waits for it is told."""
        said, failed = Said("lan"), list[Failure]()
        self.assertIsNone(built(broken, PEER, PLAIN, said, failed.append))
        self.assertEqual(([failure.type for failure in said.failures], said.events), ([ZeroDivisionError], ["failures"]))
        self.assertEqual([reason.type for reason in failed], [NoProtocol])
        application = Application()
        self.assertIs(built(lambda address, peer: application, PEER, PLAIN, said), application)

    def test_peers(self) -> None:
        """A peer is shown as one would write its address."""
        shown = [name_of(IPv4Address("TCP", "192.0.2.7", 1)), name_of(IPv6Address("TCP", "2001:db8::1", 2)), name_of(UNIXAddress(None))]
        self.assertEqual(shown, ["192.0.2.7:1", "[2001:db8::1]:2", "local"])

    def test_in_clear(self) -> None:
        """A connection in clear is of a peer of whom nothing is known; a fault of ours closes it, and no traceback is Twisted's own."""
        asked: list[Any] = []
        said = Said("lan")
        InClear(lambda address, peer: asked.append((address, peer)), said).buildProtocol("one")  # type: ignore[arg-type,func-returns-value]
        self.assertEqual((asked, said.events), ([("one", PLAIN)], []))
        self.assertIsNone(InClear(broken, said).buildProtocol(PEER))
        self.assertEqual(said.events, ["failures"])
