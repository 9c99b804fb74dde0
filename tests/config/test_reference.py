"""The reference agrees with the code."""

from __future__ import annotations

import contextlib
import io
import os
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter

from gateway import registry
from gateway.config import reference
from gateway.config.fields import choices, nested, part_kind, written
from gateway.config.load import load
from gateway.config.reference import chapters, main
from gateway.framing import FramingOptions
from gateway.options import Options

from ..configuring import ConfigCase

ROOT = Path(reference.__file__).parent.parent.parent


def all_options() -> list[type[Options]]:
    """The options classes of all parts."""
    return [registry.load(kind, name).Options for kind in ("transport", "framing", "codec") for name in registry.names(kind)]


class Reference(ConfigCase):
    def run_main(self, *arguments: str, root: Path) -> tuple[int, str]:
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed):
            status = main(list(arguments), root)
        return status, printed.getvalue()

    def test_current(self) -> None:
        """The files in the tree are those that the code makes."""
        self.assertEqual(self.run_main("--check", root=ROOT), (0, ""))

    def test_writes(self) -> None:
        """Without arguments both files are written; --check reports those that are not current; other arguments are refused."""
        root = Path(self.directory)
        self.assertEqual(self.run_main(root=root), (0, ""))
        self.assertEqual(self.run_main("--check", root=root), (0, ""))
        (root / "conf" / "reference.ini").write_text("old")
        os.remove(root / "docs" / "reference.md")
        printed = [f"{name} is not current: run make reference\n" for name in ("conf/reference.ini", "docs/reference.md")]
        self.assertEqual(self.run_main("--check", root=root), (1, "".join(printed)))
        self.assertEqual(self.run_main("--chek", root=root)[0], 2)

    def test_loads(self) -> None:
        """conf/reference.ini is itself a configuration, of two links."""
        self.assertEqual(list(load(self.path(reference.ini())).links), ["scale", "lan"])

    def test_everything_described(self) -> None:
        """Every option of every part is described: what to write, and what it does."""
        for chapter in chapters():
            for row in chapter.rows:
                self.assertTrue(row.words and row.text, f"{chapter.title}: {row.key}")
            self.assertTrue(chapter.text, chapter.title)

    def test_defaults_read_back(self) -> None:
        """A default of the reference, written into the file, gives the same value."""
        for options in all_options():
            for name, field in options.model_fields.items():
                if field.is_required() or part_kind(field) or nested(field) or field.default is None:
                    continue
                text = written(field).text(field.default)
                given = next((value for value in choices(field) if str(value) == text), text)
                read: Any = TypeAdapter(field.rebuild_annotation()).validate_python(given)
                self.assertEqual(read, field.default, f"{options.__module__} {name}")

    def test_every_option(self) -> None:
        """Every option is in both files, in the INI file commented out."""
        lines, page = reference.ini().splitlines(), reference.markdown()
        for name in registry.names("framing"):
            for option in set(registry.load("framing", name).Options.model_fields) - set(FramingOptions.model_fields):
                self.assertTrue(any(line.startswith(f";framing.{option} =") for line in lines), option)
                self.assertIn(f"| `framing.{option}` |", page)
        for key in ("memory", "certificate", "subscribe", "outbox.when_full", "framing", "baudrate", "listen"):
            self.assertTrue(any(line.startswith(f";{key} =") for line in lines), key)

    def test_overridden_default(self) -> None:
        """A default of one transport that differs from the others' is shown in its chapter."""
        serial = next(chapter for chapter in chapters() if chapter.title == "transport = serial")
        self.assertEqual([row.default for row in serial.rows if row.key == "outbox.when_full"], ["block"])
        self.assertNotIn("subscribe", [row.key for row in serial.rows])
