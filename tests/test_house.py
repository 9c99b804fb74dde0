"""The shape of the house (DESIGN 1 and 2, docs/house.md), and that its rules notice a breach."""

from __future__ import annotations

from configparser import ConfigParser
from fnmatch import fnmatch

from twisted.trial.unittest import SynchronousTestCase

from . import house_rules as rules

TESTED_ELSEWHERE = {
    "gateway.links.runtime": "tests.links.test_link",
    "gateway.config.config": "tests.config.test_load",
    "gateway.config.draft": "tests.config.test_wiring",
    "gateway.net.probes": "tests.net.test_direct",
    "gateway.net.reports": "tests.links.test_reporting",
    "gateway.net.sockets": "tests.net.test_direct",
    "gateway.config.plan": "tests.config.test_load",
}
"""Modules without a test module of their own name, and where they are tested."""

LONG: dict[str, str] = {}
"""Files over 300 lines, each with the reason why it is not two."""

LONGEST = 300


class HouseTests(SynchronousTestCase):
    def assert_none(self, breaches: list[str]) -> None:
        if breaches:
            self.fail("\n".join(["", *breaches]))

    def test_placed(self) -> None:
        """Every module of the package stands on a floor, and every place is that of a module."""
        there = rules.modules("gateway")
        unplaced = [f"{name} is not placed" for name in there if name != "gateway" and rules.floor(name) is None]
        gone = [f"{name} is placed, but is not there" for name in rules.FLOORS if name not in there]
        self.assert_none([*unplaced, *gone])

    def test_imports_point_down(self) -> None:
        """No module imports one of a floor above its own."""
        breaches = []
        for name, path in rules.modules("gateway").items():
            breaches += rules.upward_imports(path.read_text(), name, path.name == "__init__.py")
        self.assert_none(breaches)

    def test_pure(self) -> None:
        """Floors 0 to 2 import neither Twisted nor sockets, files or clocks."""
        breaches = []
        for name, path in rules.modules("gateway").items():
            floor = rules.floor(name)
            if floor is not None and floor <= rules.PURE:
                breaches += rules.impurities(path.read_text(), name)
        self.assert_none(breaches)

    def test_strictly_typed(self) -> None:
        """Below the Twisted line nothing is relaxed of `mypy --strict`."""
        settings = ConfigParser()
        settings.read(rules.ROOT / "setup.cfg")
        self.assertTrue(settings.getboolean("mypy", "strict"))
        relaxed = [name for section in settings.sections() if section.startswith("mypy-") for name in section[5:].split(",")]
        pure = [name for name, floor in rules.FLOORS.items() if floor <= rules.PURE]
        self.assert_none([f"{name} is relaxed in setup.cfg by {pattern}" for name in pure for pattern in relaxed if fnmatch(name, pattern)])

    def test_mirrored(self) -> None:
        """Every module has its test module: gateway/a/b.py is tested by tests/a/test_b.py; a _b.py through those that use it."""
        tests = rules.modules("tests")
        missing = []
        for package in ("gateway", "scripts"):
            for name, path in rules.modules(package).items():
                if path.name.startswith("_"):
                    continue
                inner = name if package != "gateway" else name.removeprefix("gateway.")
                parent, _, module = inner.rpartition(".")
                wanted = TESTED_ELSEWHERE.get(name) or ".".join(part for part in ("tests", parent, f"test_{module}") if part)
                if wanted not in tests:
                    missing.append(f"{name}: no {wanted}")
        self.assert_none(missing)

    def test_names(self) -> None:
        """Nothing is named by a word that says nothing."""
        breaches = []
        for package in ("gateway", "scripts", "benchmarks"):
            for name, path in rules.modules(package).items():
                breaches += rules.empty_names(path.read_text(), name)
        self.assert_none(breaches)

    def test_size(self) -> None:
        """No file of the package has more than 300 lines but those that are listed with a reason."""
        lines = {name: len(path.read_text().splitlines()) for name, path in rules.modules("gateway").items()}
        long = [f"{name} has {count} lines" for name, count in lines.items() if count > LONGEST and name not in LONG]
        short = [f"{name} is listed as long, but is not" for name in LONG if lines.get(name, 0) <= LONGEST]
        self.assert_none([*long, *short])

    def test_promises(self) -> None:
        """Every test says in a docstring what it promises."""
        breaches = []
        for name, path in rules.modules("tests").items():
            breaches += rules.tests_without_promise(path.read_text(), name)
        self.assert_none(breaches)

    def test_no_luck(self) -> None:
        """No test sleeps, is skipped, or has a Mock in place of something real."""
        breaches = []
        for name, path in rules.modules("tests").items():
            breaches += rules.left_to_luck(path.read_text(), name)
        self.assert_none(breaches)


class RuleTests(SynchronousTestCase):
    def test_floor(self) -> None:
        """A module stands on the floor of its nearest placed package, and one outside all of them on none."""
        self.assertEqual(rules.floor("gateway.packet"), 0)
        self.assertEqual(rules.floor("gateway.framing.lines"), 2)
        self.assertEqual(rules.floor("gateway.transports.tcp"), 4)
        self.assertIsNone(rules.floor("gateway.nowhere"))

    def test_upward(self) -> None:
        """An import of a higher floor is noticed in each way of writing it; one of the same floor or below is fine."""
        for source in (
            "import gateway.service",
            "from gateway import service",
            "from gateway.service import makeService",
            "from . import service",
            "from .service import makeService",
            "def f():\n    from .transports import tcp",
        ):
            self.assertEqual(len(rules.upward_imports(source, "gateway.registry")), 1, source)
        self.assertEqual(len(rules.upward_imports("from ..links.link import Link", "gateway.framing.lines")), 1)
        self.assertEqual(len(rules.upward_imports("from ..links.link import Link", "gateway.framing", is_package=True)), 1)
        self.assertEqual(len(rules.upward_imports("from .link import Link", "gateway.framing", is_package=True)), 0)
        self.assertEqual(len(rules.upward_imports("from ..packet import Frames", "gateway.framing.lines")), 0)
        self.assertEqual(len(rules.upward_imports("from .session import Session", "gateway.registry")), 0)

    def test_impure(self) -> None:
        """Twisted, sockets, files and clocks are noticed; formatting a time that was given is not."""
        for source in (
            "import os.path",
            "from twisted.python import log",
            "def f():\n    import time",
            "open('x')",
            "datetime.now()",
            "datetime.datetime.utcnow()",
        ):
            self.assertEqual(len(rules.impurities(source, "m")), 1, source)
        self.assertEqual(rules.impurities("from datetime import datetime\ndatetime.fromtimestamp(1.5).isoformat()\nx.open()", "m"), [])

    def test_empty_names(self) -> None:
        """An empty word is noticed wherever something is named, and not inside another word."""
        for source in ("class LinkManager: pass", "def data_handler(): pass", "def f(helper): pass", "base = 1", "self.engine = 1"):
            self.assertEqual(len(rules.empty_names(source, "gateway.good")), 1, source)
        self.assertEqual(len(rules.empty_names("", "gateway.web.utils")), 1)
        self.assertEqual(rules.empty_names("class Database: pass\nbase64 = 1\nclass X(BaseModel): pass", "gateway.good"), [])

    def test_test_rules(self) -> None:
        """A test without a docstring, a sleep, a skip and a Mock are noticed."""
        self.assertEqual(len(rules.tests_without_promise("def test_x(self):\n    pass", "m")), 1)
        self.assertEqual(len(rules.tests_without_promise("def test_x(self):\n    'It holds.'", "m")), 0)
        for source in (
            "time.sleep(1)",
            "from time import sleep",
            "from unittest import mock",
            "test_x.skip = 'no'",
            "todo = 'no'",
            "raise unittest.SkipTest()",
        ):
            self.assertEqual(len(rules.left_to_luck(source, "m")), 1, source)
