"""Rules for one file, read from its syntax tree: each takes a module's source and gives a line for each breach."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

_OUTSIDE = (
    "OpenSSL asyncio autobahn ctypes fcntl glob grp io logging mmap multiprocessing os pathlib pwd random sched secrets select selectors",
    "serial service_identity shutil signal socket ssl subprocess tempfile termios threading time tty twisted",
)
OUTSIDE = frozenset(name for names in _OUTSIDE for name in names.split())
"""What a pure module does not import: Twisted, sockets, files, clocks, chance."""

_CLOCK_CALLS = frozenset({"now", "utcnow", "today"})

_EMPTY_WORDS = ("handler", "manager", "processor", "engine", "component", "helper", "util", "base")
EMPTY_WORDS = frozenset(form for word in _EMPTY_WORDS for form in (word, f"{word}s"))
"""Words that say nothing (a name made of others is better)."""


def modules(package: str) -> dict[str, Path]:
    """Dotted name and file of every module of a package of the checkout."""
    found = {}
    for path in sorted((ROOT / package).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imports(source: str, module: str, is_package: bool) -> Iterator[tuple[int, str]]:
    """Line and absolute dotted name of everything that a module imports, inside functions too; of ``from a import b``, ``a.b``."""
    package = module if is_package else module.rpartition(".")[0]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield node.lineno, alias.name
        elif isinstance(node, ast.ImportFrom):
            above = package.split(".")[: len(package.split(".")) - (node.level - 1)] if node.level else []
            origin = ".".join([*above, *(node.module.split(".") if node.module else [])])
            for alias in node.names:
                yield node.lineno, f"{origin}.{alias.name}"


def impurities(source: str, module: str) -> list[str]:
    """Whatever reaches outside: imports of OUTSIDE, opening a file, asking for the time."""
    breaches = [f"{module}:{line}: imports {name}" for line, name in imports(source, module, False) if name.split(".")[0] in OUTSIDE]
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.Call):
            continue
        called = node.func
        if isinstance(called, ast.Name) and called.id in ("open", "print", "input"):
            breaches.append(f"{module}:{node.lineno}: calls {called.id}()")
        elif isinstance(called, ast.Attribute) and called.attr in _CLOCK_CALLS:
            breaches.append(f"{module}:{node.lineno}: asks a clock: .{called.attr}()")
    return breaches


def empty_names(source: str, module: str) -> list[str]:
    """Modules, classes, functions, arguments and variables with one of EMPTY_WORDS in their name."""
    named = [(1, module.rpartition(".")[2])]
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            named.append((node.lineno, node.name))
        elif isinstance(node, ast.arg):
            named.append((node.lineno, node.arg))
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            named.append((node.lineno, node.id))
        elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
            named.append((node.lineno, node.attr))
    return [f"{module}:{line}: {name}" for line, name in named if EMPTY_WORDS & set(words(name))]


def words(name: str) -> list[str]:
    """The words of a snake_case or CamelCase name, in lower case."""
    return [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)]


def tests_without_promise(source: str, module: str) -> list[str]:
    """Test methods without a docstring."""
    return [
        f"{module}:{node.lineno}: {node.name}"
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.name.startswith("test_") and not ast.get_docstring(node)
    ]


def left_to_luck(source: str, module: str) -> list[str]:
    """What a test may not do: sleep, be skipped or to do, or put a Mock in place of something real."""
    breaches = []
    for line, name in imports(source, module, False):
        if name.startswith(("unittest.mock", "mock.")) or name in ("time.sleep", "unittest.SkipTest", "twisted.trial.unittest.SkipTest"):
            breaches.append(f"{module}:{line}: imports {name}")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Attribute) and node.attr in ("sleep", "SkipTest", "skipTest", "skipIf", "skipUnless", "expectedFailure"):
            breaches.append(f"{module}:{node.lineno}: .{node.attr}")
        if isinstance(node, ast.Attribute | ast.Name) and isinstance(node.ctx, ast.Store):
            name = node.attr if isinstance(node, ast.Attribute) else node.id
            if name in ("skip", "todo"):
                breaches.append(f"{module}:{node.lineno}: {name} =")
    return breaches
