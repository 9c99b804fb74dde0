"""Parts that a test adds as another distribution would: modules on a path of the test's own, named by entry points."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from importlib import invalidate_caches
from pathlib import Path

from twisted.trial.unittest import SynchronousTestCase

from gateway import registry


def add_parts(case: SynchronousTestCase, parts: Mapping[str, str]) -> None:
    """Add the parts until the test ends: for each ``KIND NAME`` the source of its module."""
    path = Path(case.mktemp()).absolute()
    entries = path / "others-1.dist-info"
    entries.mkdir(parents=True)
    (entries / "METADATA").write_text("Metadata-Version: 2.1\nName: others\nVersion: 1\n")
    lines = []
    for part, source in parts.items():
        kind, name = part.split()
        module = f"part_of_others_{kind}_{name}"
        (path / f"{module}.py").write_text(source)
        lines.append(f"[gateway.{kind}]\n{name} = {module}\n")
        case.addCleanup(sys.modules.pop, module, None)
    (entries / "entry_points.txt").write_text("".join(lines))
    case.patch(sys, "path", [str(path), *sys.path])
    case.addCleanup(registry._parts.cache_clear)
    invalidate_caches()
    registry._parts.cache_clear()
