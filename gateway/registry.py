"""Finds the framings, codecs and transports (the parts), and imports each only when a configuration names it.

Other distributions add parts through the entry-point groups ``gateway.framing``, ``gateway.codec`` and ``gateway.transport``; each entry
is a module with the same contents as those in the folder of its kind. ``kind`` is ``"framing"``, ``"codec"`` or ``"transport"``.
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
    """The names of all parts of a kind, as in the INI file, sorted. Imports no part."""
    return sorted(_parts(kind))


def of_others(kind: str) -> list[str]:
    """The names of the parts that other distributions add, sorted. Imports no part."""
    return [name for name, part in sorted(_parts(kind).items()) if isinstance(part, EntryPoint)]


def load(kind: str, name: str) -> ModuleType:
    """The module of a part; raises KeyError if there is no such part, ImportError if it needs a library that is not installed."""
    part = _parts(kind)[name]
    if isinstance(part, EntryPoint):
        module: ModuleType = part.load()
        return module
    return importlib.import_module(part)


def kind_name(options: Options) -> str:
    """The name, as in the INI file, of the part that the options belong to; raises KeyError if they belong to none."""
    module = type(options).__module__
    for kind in _PACKAGES:
        for name, part in _parts(kind).items():
            if module == (part.module if isinstance(part, EntryPoint) else part):
                return name
    raise KeyError(module)


def finds_packets(framing: Options) -> bool:
    """Whether the framing with these options finds packets in the bytes alone, however they are split up."""
    return bool(_module(framing).SELF_DELIMITING)


def make_framer(options: Options) -> Framer:
    """A new framer with these options."""
    framer: Framer = _module(options).Framer(options)
    return framer


def make_codec(options: Options) -> Codec:
    """A codec with these options."""
    codec: Codec = _module(options).Codec(options)
    return codec


def _module(options: Options) -> Any:
    return importlib.import_module(type(options).__module__)
