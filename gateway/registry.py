"""Finds the framings, codecs and transports (the parts), and imports each only when a configuration names it.

What a part says of itself, its traits, are constants of its module, in capitals. `trait` is for a part that is loaded; `declared` reads
one that is not, from its source, so that a question to all parts imports none of them.

Other distributions add parts through the entry-point groups ``gateway.framing``, ``gateway.codec`` and ``gateway.transport``; each entry
is a module with the same contents as those in the folder of its kind. ``kind`` is ``"framing"``, ``"codec"`` or ``"transport"``.
"""

from __future__ import annotations

import ast
import importlib
import importlib.util
import pkgutil
from collections.abc import Mapping
from functools import cache, cached_property
from importlib.metadata import entry_points
from types import ModuleType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .codecs import Codec
    from .framing import Framer
    from .options import Options

_PACKAGES = {"framing": "gateway.framing", "codec": "gateway.codecs", "transport": "gateway.transports"}


class _Part:
    """Where a part is: the name of its module, and whether another distribution adds it."""

    def __init__(self, module: str, of_others: bool) -> None:
        self.module = module
        self.of_others = of_others

    @cached_property
    def constants(self) -> Mapping[str, Any]:
        """The constants of the module that are written as literals, from its source. Nothing where that cannot be read."""
        try:
            spec = importlib.util.find_spec(self.module)
            find = getattr(spec and spec.loader, "get_source", None)
            return _constants(find(self.module) or "") if find else {}
        except (ImportError, SyntaxError, ValueError):  # reported where a section names the part
            return {}


@cache
def _parts(kind: str) -> dict[str, _Part]:
    package = importlib.import_module(_PACKAGES[kind])
    found = {entry.name: _Part(entry.value.partition(":")[0], True) for entry in entry_points(group=f"gateway.{kind}")}
    for module in pkgutil.iter_modules(package.__path__):
        if not module.name.startswith("_"):
            found[module.name] = _Part(f"{_PACKAGES[kind]}.{module.name}", False)
    return found


def names(kind: str) -> list[str]:
    """The names of all parts of a kind, as in the INI file, sorted. Imports no part."""
    return sorted(_parts(kind))


def of_others(kind: str) -> list[str]:
    """The names of the parts that other distributions add, sorted. Imports no part."""
    return [name for name, part in sorted(_parts(kind).items()) if part.of_others]


def declared(kind: str, trait: str, default: Any) -> dict[str, Any]:
    """A trait of every part of a kind, by name: the program's own parts come first. Imports no part: see `_Part.constants`."""
    parts = sorted(_parts(kind).items(), key=lambda item: (item[1].of_others, item[0]))
    return {name: part.constants.get(trait, default) for name, part in parts}


def load(kind: str, name: str) -> ModuleType:
    """The module of a part; raises KeyError if there is no such part, ImportError if it needs a library that is not installed."""
    return importlib.import_module(_parts(kind)[name].module)


def kind_name(options: Options) -> str:
    """The name, as in the INI file, of the part that the options belong to; raises KeyError if they belong to none."""
    module = type(options).__module__
    for kind in _PACKAGES:
        for name, part in _parts(kind).items():
            if module == part.module:
                return name
    raise KeyError(module)


def trait(options: Options, name: str, default: Any) -> Any:
    """A trait of the part that the options belong to."""
    return getattr(_module(options), name, default)


def finds_packets(framing: Options) -> bool:
    """Whether the framing with these options finds packets in the bytes alone, however they are split up."""
    return bool(trait(framing, "SELF_DELIMITING", False))


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


def _constants(source: str) -> Mapping[str, Any]:
    found = {}
    for node in ast.parse(source).body:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
        for target in targets:
            if isinstance(target, ast.Name) and target.id.isupper() and not target.id.startswith("_"):
                try:
                    found[target.id] = ast.literal_eval(node.value)  # type: ignore[attr-defined]
                except ValueError:  # it is computed
                    continue
    return found
