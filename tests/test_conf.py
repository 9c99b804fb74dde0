from __future__ import annotations

from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway.config.load import load
from gateway.config.table import table

from . import conf
from .integration import test_conf as runs


class ConfTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.folder = Path(self.mktemp())
        self.folder.mkdir()
        conf.put_files(self.folder)

    def test_check(self) -> None:
        """Every example loads without a mistake, and its table can be printed."""
        for name in conf.examples():
            path = self.folder / f"{name}.ini"
            path.write_bytes((conf.CONF / path.name).read_bytes())
            loaded = load(str(path))
            printed = table(loaded)
            for link in loaded.links:
                self.assertIn(link, printed, name)

    def test_introduced(self) -> None:
        """Every example begins with a comment: for whom it is, what to plug in or write, how to try it."""
        for name in conf.examples():
            comment = (conf.CONF / f"{name}.ini").read_text().partition("\n\n")[0]
            self.assertRegex(comment, r"\A; (For|The demo\. For) ", name)
            self.assertRegex(comment, r"\n; Try: ", name)
            self.assertEqual([line for line in comment.splitlines() if not line.startswith("; ")], [], name)

    def test_run(self) -> None:
        """Every example is run by a test of its own in tests/integration/test_conf.py."""
        tests = {name.removeprefix("test_").replace("_", "-") for name in dir(runs.ConfTests) if name.startswith("test_")}
        self.assertEqual([name for name in conf.examples() if name not in tests], [])

    def test_bridge_is_six_lines(self) -> None:
        """The two-way bridge is as short as the README says: two sections of two options each."""
        lines = [line for line in (conf.CONF / "bridge.ini").read_text().splitlines() if line and not line.startswith(";")]
        self.assertEqual(len(lines), 6)
