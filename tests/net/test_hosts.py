"""Host names that this machine knows itself."""

from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.net import hosts
from gateway.net.hosts import addresses_of, is_address, is_loopback


class HostsTests(SynchronousTestCase):
    def test_file(self) -> None:
        """A name has the addresses that the hosts file gives it, in its order, however it is written; without the file it has none."""
        file = Path(self.mktemp())
        file.write_text("# 192.0.2.9 bench\n192.0.2.1 far Bench # mine\n::1 bench\nodd bench\n\n")
        self.patch(hosts, "HOSTS", str(file))
        self.assertEqual([addresses_of(name) for name in ("BENCH.", "far", "mine")], [["192.0.2.1", "::1"], ["192.0.2.1"], []])
        self.patch(hosts, "HOSTS", self.mktemp())
        self.assertEqual(addresses_of("bench"), [])

    def test_addresses(self) -> None:
        """Addresses of both families are distinguished from names, with a zone too."""
        self.assertEqual([is_address(text) for text in ("192.0.2.1", "::1", "fe80::1%eth0", "bench", "")], [True] * 3 + [False] * 2)

    def test_loopback(self) -> None:
        """A host is loopback if only this machine can connect to it, whichever way it is written."""
        for host in ("127.0.0.1", "127.9.9.9", "::1", "::1%lo", "::ffff:127.0.0.1", "LOCALHOST"):
            self.assertTrue(is_loopback(host), host)
        for host in ("0.0.0.0", "::", "10.0.0.1", "::ffff:10.0.0.1", "example.org", "localhost.evil.org", ""):
            self.assertFalse(is_loopback(host), host)
