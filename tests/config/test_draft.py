"""The section of one link, before it becomes a plan."""

from __future__ import annotations

from twisted.trial.unittest import SynchronousTestCase

from gateway.config.draft import check_name


class Names(SynchronousTestCase):
    def test_names(self) -> None:
        """A link's name is valid as a topic and as an entry of a list."""
        for name in ("gps", "meter/1", "Ä", "a.b-c_d"):
            check_name(name)
        for name in ("", "a b", "a;b", "a/+", "a/$b", "a\u202eb"):
            self.assertRaises(ValueError, check_name, name)
