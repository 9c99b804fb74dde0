"""Which parts there are: found by file name, imported only when a configuration names them.

Others add parts from their own distributions through the entry-point groups ``gateway.framing``, ``gateway.codec`` and
``gateway.transport``, whose entries are modules with the same contents as ours.
"""

from __future__ import annotations

import importlib
import pkgutil
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from types import ModuleType

_PACKAGES = {"framing": "gateway.framing", "codec": "gateway.codecs", "transport": "gateway.transports"}


@cache
def _parts(kind: str) -> dict[str, str | EntryPoint]:
    package = importlib.import_module(_PACKAGES[kind])
    found: dict[str, str | EntryPoint] = {
        entry.name: entry for entry in entry_points(group=f"gateway.{kind}")
    }
    for module in pkgutil.iter_modules(package.__path__):
        if not module.name.startswith("_"):
            found[module.name] = f"{_PACKAGES[kind]}.{module.name}"
    return found


def names(kind: str) -> list[str]:
    """The names that a user can write for this kind of part, sorted. Imports none of them."""
    return sorted(_parts(kind))


def load(kind: str, name: str) -> ModuleType:
    """The module of one part; raises KeyError when there is none of that name, ImportError when a library of it is missing."""
    part = _parts(kind)[name]
    if isinstance(part, EntryPoint):
        module: ModuleType = part.load()
        return module
    return importlib.import_module(part)
