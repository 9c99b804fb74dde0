from __future__ import annotations

import subprocess
import sys
from importlib import invalidate_caches
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway import registry
from gateway.codecs.json import Codec
from gateway.codecs.json import Options as JsonOptions
from gateway.framing.lines import Framer
from gateway.framing.lines import Options as LinesOptions


class RegistryTests(SynchronousTestCase):
    def test_names(self) -> None:
        """Parts have the names of their files; files that begin with _ are no parts."""
        framings = {"raw", "lines", "delimiter", "fixed", "length", "enclosed", "silence", "slip", "cobs"}
        self.assertLessEqual(framings, set(registry.names("framing")))
        self.assertLessEqual({"raw", "text", "json", "hex"}, set(registry.names("codec")))
        self.assertFalse([name for kind in ("framing", "codec", "transport") for name in registry.names(kind) if name.startswith("_")])
        self.assertEqual(registry.names("framing"), sorted(registry.names("framing")))

    def test_load(self) -> None:
        """A part is loaded by its name; any other name is a KeyError."""
        self.assertIs(registry.load("framing", "lines").Options, LinesOptions)
        for name in ("line", "_search", "", "lines.Options"):
            with self.assertRaises(KeyError):
                registry.load("framing", name)

    def test_declared(self) -> None:
        """The traits of all parts of a kind are known without importing one: Autobahn costs 165 ms and many megabytes."""
        script = (
            "import sys, gateway.registry as r; found = r.declared('transport', 'IMPLIED_BY', ()); "
            "print(found['serial'], found['websocket'], [name for name in sys.modules if name.startswith('gateway.transports.')])"
        )
        done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
        self.assertEqual(done.stdout, "('device',) () []\n")

    def test_from_options(self) -> None:
        """The part that options belong to is found from them."""
        self.assertEqual((registry.kind_name(LinesOptions()), registry.kind_name(JsonOptions())), ("lines", "json"))
        self.assertIsInstance(registry.make_framer(LinesOptions()), Framer)
        self.assertIsInstance(registry.make_codec(JsonOptions()), Codec)


class ForeignPartTests(SynchronousTestCase):
    """Parts on a path of this test's own."""

    def setUp(self) -> None:
        self.path = Path(self.mktemp())
        self.path.mkdir()
        self.patch(sys, "path", [str(self.path.absolute()), *sys.path])
        self.addCleanup(registry._parts.cache_clear)
        self.addCleanup(lambda: [sys.modules.pop(name) for name in list(sys.modules) if name.startswith("foreign_part")])

    def write(self, name: str, text: str) -> None:
        file = self.path / name
        file.parent.mkdir(exist_ok=True)
        file.write_text(text)
        invalidate_caches()
        registry._parts.cache_clear()

    def test_entry_point(self) -> None:
        """Another distribution adds a part by an entry point; its options lead back to it."""
        self.write("foreign_part.py", "from gateway.framing import FramingOptions\nclass Options(FramingOptions):\n    pass\n")
        self.write("foreign-1.dist-info/METADATA", "Metadata-Version: 2.1\nName: foreign\nVersion: 1\n")
        self.write("foreign-1.dist-info/entry_points.txt", "[gateway.framing]\nodd = foreign_part\n")
        self.assertIn("odd", registry.names("framing"))
        self.assertEqual(registry.kind_name(registry.load("framing", "odd").Options()), "odd")

    def test_declared(self) -> None:
        """Traits are read from the source of parts that cannot be loaded, too; what is no literal counts as not said."""
        self.write("foreign_parts/__init__.py", "")
        self.write("foreign_parts/needy.py", "import no_such_library\nIMPLIED_BY: tuple[str, ...] = ('tape',)\n")
        self.write("foreign_parts/computed.py", "IMPLIED_BY = tuple('ab')\n")
        self.write("foreign_parts/broken.py", "IMPLIED_BY = ('tape'\n")
        self.patch(registry, "_PACKAGES", {"framing": "foreign_parts"})
        self.assertEqual(registry.declared("framing", "IMPLIED_BY", ()), {"broken": (), "computed": (), "needy": ("tape",)})

    def test_missing_library(self) -> None:
        """Listing names imports no part, so a missing library is an error only when the part that needs it is loaded."""
        self.write("foreign_parts/__init__.py", "")
        self.write("foreign_parts/needy.py", "import a_library_that_there_is_not\n")
        self.patch(registry, "_PACKAGES", {"framing": "foreign_parts"})
        self.assertEqual(registry.names("framing"), ["needy"])
        with self.assertRaisesRegex(ImportError, "a_library_that_there_is_not"):
            registry.load("framing", "needy")
