"""Change the core in small ways, one at a time, and list the changes that no unit test notices; or that no simulated run does.

``python -m scripts.mutants [--simulated] [--minutes N] [FILE ...]``, by default all of CORE. Cosmic Ray makes the
changes, in a copy of the checkout.
What is known is kept in ``.mutants``, so that a later run goes on where this one ended: a kill while the changed file stays as it is,
a survivor until a test changes. Exit status 0 only when nothing survived and every change could be tried.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path

from ._changes import mutants
from .known import Known, Mutant, Outcome, equivalents
from .seeds import Seeds
from .trials import Tests

ROOT = Path(__file__).resolve().parent.parent.parent
CORE = ("gateway/bus", "gateway/links", "gateway/wires", "gateway/framing")
TESTS = {
    "bus": ("tests/bus", "tests/links"),
    "framing": ("tests/framing", "tests/wires", "tests/links", "tests/config/test_reference.py"),
    "links": ("tests/links",),
    "wires": ("tests/wires", "tests/links"),
}
"""For each folder of the core its own tests, and those of what stands on it; defaults and limits stand in the reference."""

KNOWN = ROOT / ".mutants" / "results"
KNOWN_OF_SEEDS = ROOT / ".mutants" / "seeds"
EQUIVALENT = ROOT / "tests" / "equivalent_mutants.txt"


def checkout(folder: str) -> Path:
    """A copy, so that nothing here is ever changed."""
    return Path(shutil.copytree(ROOT, Path(folder, "checkout"), ignore=shutil.ignore_patterns(".*", "__pycache__", "*.egg-info", "demo")))


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m scripts.mutants", description="List the changes that no unit test notices.")
    parser.add_argument("--simulated", action="store_true", help="play seeds of tests/sim in place of unit tests")
    parser.add_argument("--minutes", type=float, default=30, help="no change is begun after that; the next run goes on")
    parser.add_argument("files", nargs="*", default=CORE, metavar="FILE", help="files or folders of the core")
    asked = parser.parse_args(arguments)
    if wrong := [name for name in asked.files if not name.startswith(CORE)]:
        parser.error(f"not in the core ({', '.join(CORE)}): {', '.join(wrong)}")
    until = time.monotonic() + 60 * asked.minutes
    equivalent = equivalents(EQUIVALENT.read_text())
    outcomes: dict[Mutant, Outcome] = {}
    with tempfile.TemporaryDirectory(prefix="gateway-mutants-") as folder:
        copy = checkout(folder)
        tests = Seeds(copy) if asked.simulated else Tests(copy, TESTS)
        known = Known(KNOWN_OF_SEEDS if asked.simulated else KNOWN)

        def outcome(mutant: Mutant) -> Outcome:
            if (mutant.path, mutant.change) in equivalent:
                return Outcome.EQUIVALENT
            if found := known.get(mutant, tests.digest(mutant.path)):
                return found
            if time.monotonic() >= until:
                return Outcome.LEFT
            found = tests.run(mutant.path, mutant.source)
            if found is Outcome.NOT_STARTED:
                print(mutant, tests.said(), sep="\n")
            else:
                known.add(mutant, tests.digest(mutant.path), found)
            return found

        for path in files(copy, asked.files):
            here = {mutant: outcome(mutant) for mutant in mutants(path, (copy / path).read_text())}
            print(f"{path}: {counted(here.values(), asked.simulated)}", flush=True)
            outcomes |= here
    looked_at = {mutant.path for mutant in outcomes}
    unmatched = {entry for entry in equivalent if entry[0] in looked_at} - {(mutant.path, mutant.change) for mutant in outcomes}
    open_ones = [f"{found}: {mutant}" for mutant, found in outcomes.items() if found in (Outcome.SURVIVING, Outcome.NOT_STARTED)]
    open_ones += [f"{EQUIVALENT.name} has a change that can no longer be made: {path}: {change}" for path, change in sorted(unmatched)]
    print(*open_ones, counted(outcomes.values(), asked.simulated), sep="\n")
    return min(len(open_ones), 1)


def files(copy: Path, names: Sequence[str]) -> list[str]:
    """Those that are named, and all in the folders that are named."""
    found = [path for name in names for path in ([copy / name] if name.endswith(".py") else sorted((copy / name).glob("*.py")))]
    return [str(path.relative_to(copy)) for path in found]


def counted(outcomes: Iterable[Outcome], simulated: bool) -> str:
    """How many there are of each outcome, and for seeds, which never find all, the share that they find."""
    counts = Counter(outcomes)
    words = [f"{counts.total() - counts[Outcome.LEFT]} tried", *(f"{counts[each]} {each}" for each in Outcome)]
    if simulated and (decided := counts[Outcome.KILLED] + counts[Outcome.SURVIVING]):
        words.append(f"seeds find {100 * counts[Outcome.KILLED] / decided:.0f} %")
    return ", ".join(words)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
