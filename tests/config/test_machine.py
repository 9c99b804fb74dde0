"""Which hosts are this machine."""

from __future__ import annotations

import socket
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.config.machine import is_this_machine
from gateway.net import hosts as hosts_file


class MachineTests(SynchronousTestCase):
    def test_addresses(self) -> None:
        """The addresses of its interfaces are this machine; other and special addresses are not."""
        self.assertTrue(is_this_machine("127.0.0.1"))
        for host in ("192.0.2.1", "2001:db8::1", "0.0.0.0", "255.255.255.255"):
            self.assertFalse(is_this_machine(host), host)

    def test_names(self) -> None:
        """Its host name, and its names in the hosts file, are this machine; no name server is asked."""
        hosts = Path(self.mktemp())
        hosts.write_text("# 127.0.0.1 old\n127.0.0.1 localhost Bench # mine\n192.0.2.1 far\nodd odd\n\n")
        self.patch(hosts_file, "HOSTS", str(hosts))
        self.patch(socket, "gethostname", lambda: "Edge.example")
        self.patch(socket, "getaddrinfo", None)
        self.assertEqual([is_this_machine(name) for name in ("edge.example", "EDGE", "edge.example.", "bench")], [True] * 4)
        self.assertEqual([is_this_machine(name) for name in ("far", "old", "odd", "example", "edge.example.org")], [False] * 5)
        self.patch(hosts_file, "HOSTS", self.mktemp())
        self.assertFalse(is_this_machine("bench"))
