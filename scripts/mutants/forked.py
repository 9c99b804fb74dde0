"""One trial: a process forked from this one, which imports the program anew from a copy of the checkout with one file changed."""

from __future__ import annotations

import importlib.util
import os
import resource
import signal
import sys
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType

MEMORY = 2 << 30
"""Bytes of address space of one trial: a change that collects without end fails, and the machine goes on."""

PASSED, FAILED, ERROR, BROKEN = range(4)
"""What a trial's exit status says; below zero is the signal that has ended it."""

_LONGEST_IMPORT = 30
_OURS = ("gateway", "scripts", "tests")


@contextmanager
def replaced(file: Path, source: str) -> Iterator[None]:
    """Have this source in the file, and afterwards its own again."""
    original = file.read_bytes()
    # By its time and size Python may take the bytecode of one change for that of another.
    Path(importlib.util.cache_from_source(str(file))).unlink(missing_ok=True)
    file.write_text(source)
    try:
        yield
    finally:
        file.write_bytes(original)


def status(work: Callable[[], int], copy: Path, said: Path, changed: str = "") -> int:
    """Import the changed file in a child, and do this work there; what it prints is in ``said``."""
    child = os.fork()
    if not child:
        try:
            _begin(copy, said, changed)
            os._exit(BROKEN if changed and _is_broken(changed, copy) else work())
        except BaseException:
            traceback.print_exc()
        finally:
            os._exit(ERROR)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


def import_from(copy: Path, file: str) -> ModuleType:
    """A module of the copy, and not of the checkout in which this program runs."""
    module = importlib.import_module(file.removesuffix(".py").replace("/", ".").removesuffix(".__init__"))
    if not str(module.__file__).startswith(str(copy)):
        raise SystemExit(f"{module.__file__} is not in the copy")
    return module


def _begin(copy: Path, said: Path, changed: str) -> None:
    out = os.open(said, os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
    os.dup2(out, 1)
    os.dup2(out, 2)
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    sys.dont_write_bytecode = bool(changed)
    sys.path.insert(0, str(copy))
    for name in [name for name in sys.modules if name.partition(".")[0] in _OURS]:
        del sys.modules[name]
    signal.alarm(_LONGEST_IMPORT)


def _is_broken(changed: str, copy: Path) -> bool:
    try:
        import_from(copy, changed)
    except Exception:
        return True
    return False
