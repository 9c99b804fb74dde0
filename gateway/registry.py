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
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .codecs import Codec
    from .framing import Framer
    from .options import Options

_PACKAGES = {"framing": "gateway.framing", "codec": "gateway.codecs", "transport": "gateway.transports"}


@cache
def _parts(kind: str) -> dict[str, str | EntryPoint]:
    package = importlib.import_module(_PACKAGES[kind])
    found: dict[str, str | EntryPoint] = {entry.name: entry for entry in entry_points(group=f"gateway.{kind}")}
    for module in pkgutil.iter_modules(package.__path__):
        if not module.name.startswith("_"):
            found[module.name] = f"{_PACKAGES[kind]}.{module.name}"
    return found


def names(kind: str) -> list[str]:
    """The names that a user can write for this kind of part, sorted. Imports none of them."""
    return sorted(_parts(kind))


def of_others(kind: str) -> list[str]:
    """Those of the names that belong to parts from other distributions. Imports none of them."""
    return [name for name, part in sorted(_parts(kind).items()) if isinstance(part, EntryPoint)]


def load(kind: str, name: str) -> ModuleType:
    """The module of one part; raises KeyError when there is none of that name, ImportError when a library of it is missing."""
    part = _parts(kind)[name]
    if isinstance(part, EntryPoint):
        module: ModuleType = part.load()
        return module
    return importlib.import_module(part)


def kind_name(options: Options) -> str:
    """The name that a user writes for the part whose options these are: ``lines``, ``json``, ..."""
    module = type(options).__module__
    for kind in _PACKAGES:
        for name, part in _parts(kind).items():
            if module == (part.module if isinstance(part, EntryPoint) else part):
                return name
    raise KeyError(module)


def finds_packets(framing: Options) -> bool:
    """Whether the framing whose options these are finds the boundaries in the bytes alone, however they arrive."""
    return bool(_module(framing).SELF_DELIMITING)


def make_framer(options: Options) -> Framer:
    """A new framer of the framing whose options these are."""
    framer: Framer = _module(options).Framer(options)
    return framer


def make_codec(options: Options) -> Codec:
    """The codec whose options these are."""
    codec: Codec = _module(options).Codec(options)
    return codec


def _module(options: Options) -> Any:
    return importlib.import_module(type(options).__module__)
