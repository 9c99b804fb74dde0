"""The shape of the house (docs/house.md), and that its rules notice a breach."""

from __future__ import annotations

from configparser import ConfigParser
from fnmatch import fnmatch

from twisted.trial.unittest import SynchronousTestCase

from gateway import registry

from . import house_rules as rules
from . import source_rules

TESTED_ELSEWHERE = {
    "gateway.config.config": "tests.config.test_load",
    "gateway.config.plan": "tests.config.test_load",
    "gateway.net.report": "tests.links.test_events",
}
"""Modules without a test module of their own name, and where they are tested."""


class Breaches(SynchronousTestCase):
    """Tests that name every breach of a rule."""

    def assert_none(self, breaches: list[str]) -> None:
        if breaches:
            self.fail("\n".join(["", *breaches]))


class ShapeTests(Breaches):
    def setUp(self) -> None:
        self.sources = rules.house()
        self.arrows = rules.arrows(self.sources)

    def test_placed(self) -> None:
        """Every module stands on a floor, and every place that a rule names is there."""
        places = {rules.place(name) for name in self.sources} - {""}
        unplaced = [f"{name} is on no floor" for name in sorted(places - set(rules.FLOORS))]
        named = set(rules.FLOORS) | rules.PURE | rules.WITHOUT_TWISTED | rules.UNKNOWING | rules.UNKNOWN | rules.PARTS | rules.APART
        gone = [f"{name} is named, but is not there" for name in sorted(named - places)]
        gone += [f"{name} is listed as pure, but is not there" for name in sorted(rules.PURE_ELSEWHERE - set(self.sources))]
        self.assert_none([*unplaced, *gone])

    def test_imports(self) -> None:
        """Imports point down, folder by folder, and to nothing that the folder is not to know."""
        self.assert_none([str(arrow) for arrow in [*rules.upward(self.arrows), *rules.forbidden(self.arrows)]])

    def test_circles(self) -> None:
        """No files import each other in a circle, and no folders do."""
        files = rules.circles((arrow.module, arrow.imported) for arrow in self.arrows)
        folders = rules.circles((rules.place(arrow.module), rules.place(arrow.imported)) for arrow in self.arrows)
        self.assert_none([f"a circle: {', '.join(sorted(circle))}" for circle in [*files, *folders]])

    def test_seams(self) -> None:
        """Clocks, randomness, sockets, threads and terminal devices come in at one place each."""
        self.assert_none(list(rules.around_seams(self.sources)))

    def test_parts_named(self) -> None:
        """Outside their folders no part is named: what others have to know of it is a trait. Each exception has a reason, and is needed."""
        names = {name for kind in ("framing", "codec", "transport") for name in registry.names(kind)}
        found = list(rules.parts_named(self.sources, names))
        breaches = [f"{module}:{line} names {word!r}" for module, line, word in found if word not in rules.NAMED.get(module, {})]
        needed = {(module, word) for module, _, word in found}
        stale = [
            f"{module} no longer names {word!r}" for module, words in rules.NAMED.items() for word in words if (module, word) not in needed
        ]
        self.assert_none([*breaches, *stale])

    def test_owner(self) -> None:
        """A session asks five things of its link, and no more."""
        self.assertEqual(rules.asked_of_owner(self.sources), rules.OWNER)

    def test_pure(self) -> None:
        """Pure folders and modules import neither Twisted nor sockets, files or clocks."""
        breaches = []
        for name, (source, _) in self.sources.items():
            if rules.is_pure(name):
                breaches += source_rules.impurities(source, name)
        self.assert_none(breaches)

    def test_without_twisted(self) -> None:
        """The configuration may look at files and addresses, and knows nothing of Twisted and OpenSSL."""
        breaches = []
        for name, (source, is_package) in self.sources.items():
            if rules.place(name) in rules.WITHOUT_TWISTED:
                found = source_rules.imports(source, name, is_package)
                breaches += [
                    f"{name}:{line} imports {what}" for line, what in found if what.split(".")[0] in ("twisted", "OpenSSL", "autobahn")
                ]
        self.assert_none(breaches)

    def test_size(self) -> None:
        """No file of the package has more than 300 lines but those that are listed with a reason."""
        lines = {name: len(source.splitlines()) for name, (source, _) in self.sources.items()}
        long = [f"{name} has {count} lines" for name, count in lines.items() if count > rules.LONGEST and name not in rules.LONG]
        short = [f"{name} is listed as long, but is not" for name in rules.LONG if lines.get(name, 0) <= rules.LONGEST]
        self.assert_none([*long, *short])

    def test_strictly_typed(self) -> None:
        """Nothing is relaxed of `mypy --strict` for what is pure, nor for the configuration."""
        settings = ConfigParser()
        settings.read(source_rules.ROOT / "setup.cfg")
        self.assertTrue(settings.getboolean("mypy", "strict"))
        sections = {name: settings[name] for name in settings.sections() if name.startswith("mypy-")}
        breaches = []
        for module in self.sources:
            if not rules.is_pure(module) and rules.place(module) not in rules.WITHOUT_TWISTED:
                continue
            # As mypy has it: a section that names the module goes before one whose pattern matches.
            exact = [values for name, values in sections.items() if module in name[5:].split(",")]
            matching = [values for name, values in sections.items() if any(fnmatch(module, each) for each in name[5:].split(","))]
            for values in exact or matching:
                breaches += [f"{module} is relaxed in setup.cfg: {key} = {value}" for key, value in values.items() if value != "True"]
        self.assert_none(breaches)

    def test_printed(self) -> None:
        """Anybody can have the house printed: floors, arrows, circles, exceptions and long files, none of them unexpected."""
        text = "\n".join(rules.report())
        for words in (
            "Floors",
            "service -> ",
            "Circles of files: none",
            "Ways around them: none",
            "Imports against the rules: none",
            "A session asks of its link: ended, heard, opened, report, terms",
            "Files of more than 300 lines: none",
        ):
            self.assertIn(words, text)
        self.assertNotIn("NOT EXPECTED", text)


class FileTests(Breaches):
    def test_mirrored(self) -> None:
        """Every module has its test module: gateway/a/b.py is tested by tests/a/test_b.py; a _b.py through those that use it."""
        tests = source_rules.modules("tests")
        missing = []
        for package in ("gateway", "scripts"):
            for name, path in source_rules.modules(package).items():
                if path.name.startswith("_"):
                    continue
                inner = name if package != "gateway" else name.removeprefix("gateway.")
                parent, _, module = inner.rpartition(".")
                wanted = TESTED_ELSEWHERE.get(name) or ".".join(part for part in ("tests", parent, f"test_{module}") if part)
                if wanted not in tests:
                    missing.append(f"{name}: no {wanted}")
        for name in TESTED_ELSEWHERE:
            parent, _, module = name.removeprefix("gateway.").rpartition(".")
            if f"tests.{parent}.test_{module}" in tests:
                missing.append(f"{name} has a test module of its own, and is listed as tested elsewhere")
        self.assert_none(missing)

    def test_names(self) -> None:
        """Nothing is named by a word that says nothing."""
        breaches = []
        for package in ("gateway", "scripts", "benchmarks"):
            for name, path in source_rules.modules(package).items():
                breaches += source_rules.empty_names(path.read_text(), name)
        self.assert_none(breaches)

    def test_promises(self) -> None:
        """Every test says in a docstring what it promises."""
        breaches = []
        for name, path in source_rules.modules("tests").items():
            breaches += source_rules.tests_without_promise(path.read_text(), name)
        self.assert_none(breaches)

    def test_no_luck(self) -> None:
        """No test sleeps, is skipped, or has a Mock in place of something real."""
        breaches = []
        for name, path in source_rules.modules("tests").items():
            breaches += source_rules.left_to_luck(path.read_text(), name)
        self.assert_none(breaches)


class RuleTests(SynchronousTestCase):
    def setUp(self) -> None:
        self.sources = rules.house()

    def test_place(self) -> None:
        """A module stands on the floor of its folder, one beside the folders on its own, and one outside all of them on none."""
        self.assertEqual(rules.floor("gateway.packet"), 0)
        self.assertEqual(rules.floor("gateway.framing.lines"), rules.floor("gateway.framing"))
        self.assertGreater(rules.floor("gateway.transports.tcp") or 0, rules.floor("gateway.links.link") or 0)
        self.assertEqual((rules.floor("gateway.nowhere"), rules.floor("gateway")), (None, None))

    def imported(self, source: str, module: str, is_package: bool = False) -> list[rules.Arrow]:
        return [arrow for arrow in rules.arrows({**self.sources, module: (source, is_package)}) if arrow.module == module]

    def test_around_seams(self) -> None:
        """A second way to time, chance, sockets, threads or devices is noticed, inside functions too; the seam itself is fine."""
        for module, source in (
            ("gateway.links.link", "import time"),
            ("gateway.net.keepers", "def f():\n    from random import random"),
            ("gateway.ports.nodes", "import termios"),
            ("gateway.http.front", "import socket as s"),
            ("gateway.ports.ttys", "import threading"),
            ("gateway.links.link", "import os\nos.urandom(4)"),
        ):
            self.assertEqual(len(list(rules.around_seams({module: (source, False)}))), 1, source)
        self.assertEqual(list(rules.around_seams({"gateway.net.clock": ("import time", False)})), [])

    def test_upward(self) -> None:
        """An import of a higher floor is noticed in each way of writing it; one of the same folder or below is fine."""
        for source in (
            "import gateway.service",
            "from gateway import service",
            "from gateway.service import makeService",
            "from .. import service",
            "from ..service import makeService",
            "def f():\n    from ..transports import tcp",
            "if TYPE_CHECKING:\n    from ..websocket.session import WebSocketSession",
        ):
            self.assertEqual(len(rules.upward(self.imported(source, "gateway.links.link"))), 1, source)
        self.assertEqual(len(rules.upward(self.imported("from ..links.link import Link", "gateway.framing", is_package=True))), 1)
        self.assertEqual(len(rules.upward(self.imported("from .links.link import Link", "gateway.framing", is_package=True))), 0)
        self.assertEqual(len(rules.upward(self.imported("from .links.link import Link", "gateway.registry"))), 1)
        self.assertEqual(len(rules.upward(self.imported("from ..packet import Frames", "gateway.framing.lines"))), 0)
        self.assertEqual(len(rules.upward(self.imported("from .session import Session", "gateway.links.link"))), 0)

    def test_forbidden(self) -> None:
        """What is to be handed in, a part by name, another transport, and the roof are noticed; what a folder has for all is fine."""
        for module, source in (
            ("gateway.net.watch", "from .. import registry"),
            ("gateway.tls.opening", "from ..config.load import load"),
            ("gateway.links.link", "from ..framing.lines import Framer"),
            ("gateway.transports.tcp", "from .unix import Options"),
            ("gateway.transports.tcp", "from ..service import makeService"),
        ):
            self.assertEqual(len(rules.forbidden(self.imported(source, module))), 1, source)
        for module, source in (
            ("gateway.links.link", "from ..framing import Framer"),
            ("gateway.framing.lines", "from ._delimited import Delimited"),
            ("gateway.links.link", "from ..registry import make_framer"),
        ):
            self.assertEqual(rules.forbidden(self.imported(source, module)), [], source)

    def test_named(self) -> None:
        """A part's name is noticed in a comparison, a table or a pattern; a sentence or a docstring that has it in it is fine."""
        for source in ("name == 'lines'", "TABLE = {'device': 'lines'}", "def f():\n    match name:\n        case 'lines': pass"):
            found = list(rules.parts_named({"gateway.links.link": (source, False)}, {"lines"}))
            self.assertEqual([word for _, _, word in found], ["lines"], source)
            self.assertEqual(list(rules.parts_named({"gateway.framing.lines": (source, False)}, {"lines"})), [])
        self.assertEqual(list(rules.parts_named({"gateway.links.link": ("'write framing = lines'", False)}, {"lines"})), [])

    def test_circle(self) -> None:
        """Whatever leads back to itself is one circle; two that meet are one; a line is none."""
        self.assertEqual(rules.circles([("a", "b"), ("b", "c"), ("c", "d")]), [])
        self.assertEqual(rules.circles([("a", "b"), ("b", "a"), ("b", "c"), ("c", "b"), ("c", "d")]), [frozenset("abc")])
        self.assertEqual(rules.circles([("a", "b"), ("b", "a"), ("x", "y"), ("y", "x"), ("a", "x")]), [frozenset("ab"), frozenset("xy")])

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
            self.assertEqual(len(source_rules.impurities(source, "m")), 1, source)
        self.assertEqual(
            source_rules.impurities("from datetime import datetime\ndatetime.fromtimestamp(1.5).isoformat()\nx.open()", "m"), []
        )

    def test_empty_names(self) -> None:
        """An empty word is noticed wherever something is named, and not inside another word."""
        for source in ("class LinkManager: pass", "def data_handler(): pass", "def f(helper): pass", "base = 1", "self.engine = 1"):
            self.assertEqual(len(source_rules.empty_names(source, "gateway.good")), 1, source)
        self.assertEqual(len(source_rules.empty_names("", "gateway.web.utils")), 1)
        self.assertEqual(source_rules.empty_names("class Database: pass\nbase64 = 1\nclass X(BaseModel): pass", "gateway.good"), [])

    def test_test_rules(self) -> None:
        """A test without a docstring, a sleep, a skip and a Mock are noticed."""
        self.assertEqual(len(source_rules.tests_without_promise("def test_x(self):\n    pass", "m")), 1)
        self.assertEqual(len(source_rules.tests_without_promise("def test_x(self):\n    'It holds.'", "m")), 0)
        for source in (
            "time.sleep(1)",
            "from time import sleep",
            "from unittest import mock",
            "test_x.skip = 'no'",
            "todo = 'no'",
            "raise unittest.SkipTest()",
        ):
            self.assertEqual(len(source_rules.left_to_luck(source, "m")), 1, source)
