"""The shape of the house: its floors, what may import what, and what may not yet be otherwise.

``python -m tests.house_rules`` prints the house as it stands.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping
from typing import NamedTuple

from .source_rules import imports, modules

_HOUSE = (
    "errors ledger options packet peer topics",
    "bus codecs framing registry",
    "net wires",
    "captures http ports tls",
    "config",
    "links",
    "websocket",
    "transports",
    "service",
)
FLOORS = {place: floor for floor, places in enumerate(_HOUSE) for place in places.split()}
"""The floor of each folder of the package, and of each file beside the folders."""

_PURE_ELSEWHERE = (
    "captures.pace",
    "config.config config.draft config.exposures config.fields config.implied config.inherit config.ini config.miswritten config.places",
    "config.plan config.sections config.sentences config.table config.wiring",
    "http.head http.origins http.upgrade",
    "links.state links.trace",
    "net.admission net.watch",
    "ports.settings",
    "tls.options tls.sniff",
    "websocket.frames websocket.wire",
)
PURE = frozenset(["errors", "ledger", "options", "packet", "peer", "topics", "bus", "codecs", "framing", "registry", "wires"])
PURE_ELSEWHERE = frozenset(f"gateway.{name}" for names in _PURE_ELSEWHERE for name in names.split())
"""What imports neither Twisted nor sockets, files or clocks: folders and files beside them, and modules of other folders."""

WITHOUT_TWISTED = frozenset({"config"})
"""What may look at files and addresses, and knows nothing of Twisted and OpenSSL."""

UNKNOWING = frozenset({"captures", "http", "net", "ports", "tls"})
UNKNOWN = frozenset({"config", "links", "registry"})
"""The former know no link, no configuration and no part: what they need is handed in."""

PARTS = frozenset({"codecs", "framing", "transports"})
"""Folders with one file for each name in the INI: from outside a part is reached through the registry, never by name."""

NAMED: dict[str, dict[str, str]] = {
    "gateway.config.plan": {
        "raw": "the default that the reference promises",
        "lines": "the default that the reference promises",
        "hex": "a value of trace",
        "text": "a value of trace",
    },
    "gateway.config.fields": {"text": "a word for the reader of the reference"},
    "gateway.config.miswritten": {"unix": "the scheme of a URL that somebody has written in place of an address"},
    "gateway.http.head": {"websocket": "a value of a header, RFC 6455"},
    "gateway.http.upgrade": {"websocket": "a value of a header, RFC 6455"},
    "gateway.links.trace": {"hex": "a value of trace", "text": "a value of trace"},
    "gateway.net.holders": {"tcp": "a file in /proc/net"},
    "gateway.packet": {"delimiter": "a slot of Frames"},
    "gateway.ports.usbnames": {"serial": "a file of sysfs"},
}
"""Words in modules outside PARTS that are the name of a part, each with the reason why it is there."""

SEAMS = {
    "time": ("gateway.net.clock",),
    "random": ("gateway.net.chance",),
    "secrets": ("gateway.net.chance",),
    "uuid": ("gateway.net.chance",),
    "select": ("gateway.net.sockets",),
    "selectors": ("gateway.net.sockets",),
    "socket": ("gateway.net.sockets",),
    "concurrent": ("gateway.net.threads",),
    "threading": ("gateway.net.threads",),
    "fcntl": ("gateway.ports.ttys",),
    "serial": ("gateway.ports.ttys", "gateway.ports.urlport"),
    "termios": ("gateway.ports.ttys",),
    "tty": ("gateway.ports.ttys",),
}
"""Where the outside world comes in, so that a simulated one can take its place: modules, and who alone imports them."""

_AROUND = {
    "getrandom": "gateway.net.chance",
    "urandom": "gateway.net.chance",
    "now": "gateway.net.clock",
    "today": "gateway.net.clock",
    "utcnow": "gateway.net.clock",
}

APART = frozenset({"transports"})
"""Folders whose files never import one another."""

ROOF = "service"
"""What nothing imports."""

OWNER = frozenset({"ended", "heard", "opened", "report", "terms"})
"""All that a session, with its writer, asks of its link."""

LONGEST = 300
"""Lines of a file that are a reason to look for a second idea in it."""

LONG: dict[str, str] = {}
"""Files of more lines, each with the reason why it is one idea."""


def place(module: str) -> str:
    """The folder of the package that a module is in; of one beside the folders its own name; "" of the package itself."""
    return module.partition(".")[2].partition(".")[0]


def floor(module: str) -> int | None:
    """A module's floor; None where nobody has placed it."""
    return FLOORS.get(place(module))


class Arrow(NamedTuple):
    """One module imports another."""

    module: str
    line: int
    imported: str

    def __str__(self) -> str:
        return f"{self.module}:{self.line} imports {self.imported}"


def arrows(sources: Mapping[str, tuple[str, bool]]) -> list[Arrow]:
    """The imports between these modules. ``sources``: for each its text, and whether it is a package."""
    found = []
    for module, (source, is_package) in sources.items():
        for line, name in imports(source, module, is_package):
            while name and name not in sources:
                name = name.rpartition(".")[0]
            if name and name != module and place(name):
                found.append(Arrow(module, line, name))
    return list(dict.fromkeys(found))


def upward(found: Iterable[Arrow]) -> list[Arrow]:
    """Imports of a floor above the module's own."""
    placed = [(arrow, floor(arrow.module), floor(arrow.imported)) for arrow in found]
    return [arrow for arrow, own, there in placed if own is not None and there is not None and there > own]


def circles(pairs: Iterable[tuple[str, str]]) -> list[frozenset[str]]:
    """Names that lead to each other and back, as strongly connected components of two or more."""
    ahead: dict[str, set[str]] = {}
    for one, other in pairs:
        ahead.setdefault(one, set()).add(other)
    reached = {name: _reached(name, ahead) for name in ahead}
    found = {frozenset(other for other in reached[name] if name in reached.get(other, ())) for name in ahead}
    return sorted((circle for circle in found if len(circle) > 1), key=sorted)


def _reached(name: str, ahead: Mapping[str, set[str]]) -> set[str]:
    seen: set[str] = set()
    waiting = [name]
    while waiting:
        new = ahead.get(waiting.pop(), set()) - seen
        seen |= new
        waiting.extend(new)
    return seen


def parts_named(sources: Mapping[str, tuple[str, bool]], names: Container[str]) -> Iterator[tuple[str, int, str]]:
    """Module, line and word of each string outside the folders of parts that is a part's name: what it decides is for the part to say."""
    for module, (source, _) in sources.items():
        if place(module) in PARTS:
            continue
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in names:
                yield module, node.lineno, node.value


def forbidden(found: Iterable[Arrow]) -> list[Arrow]:
    """Imports that a rule of the folder forbids though they may point down: of what is handed in, of a part by its name, of the roof."""

    def is_forbidden(arrow: Arrow) -> bool:
        here, there = place(arrow.module), place(arrow.imported)
        is_part = there in PARTS and arrow.imported.count(".") > 1
        return (
            (here in UNKNOWING and there in UNKNOWN) or (is_part and (here != there or here in APART)) or (there == ROOF and here != ROOF)
        )

    return [arrow for arrow in found if is_forbidden(arrow)]


def asked_of_owner(sources: Mapping[str, tuple[str, bool]]) -> set[str]:
    """The names that files use of a session's ``owner``, and those that its Protocol has."""
    names: set[str] = set()
    for module, (source, _) in sources.items():
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Attribute) and node.value.attr == "owner":
                names.add(node.attr)
            elif isinstance(node, ast.ClassDef) and (module, node.name) == ("gateway.links.owner", "Owner"):
                names |= {each.name for each in node.body if isinstance(each, ast.FunctionDef)}
                names |= {each.target.id for each in node.body if isinstance(each, ast.AnnAssign) and isinstance(each.target, ast.Name)}
    return names


def around_seams(sources: Mapping[str, tuple[str, bool]]) -> Iterator[str]:
    """Imports of what only a seam may import, and calls that read a clock or make randomness without one."""
    for module, (source, is_package) in sources.items():
        for line, name in imports(source, module, is_package):
            first = name.partition(".")[0]
            if first in SEAMS and module not in SEAMS[first]:
                yield f"{module}:{line} imports {first}: ask {' or '.join(SEAMS[first])} for it"
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Attribute) and node.attr in _AROUND and module != _AROUND[node.attr]:
                yield f"{module}:{node.lineno} asks for .{node.attr}: ask {_AROUND[node.attr]} for it"


def is_pure(module: str) -> bool:
    """Whether a module may not reach outside."""
    return place(module) in PURE or module in PURE_ELSEWHERE


def house() -> dict[str, tuple[str, bool]]:
    """The text of each module of the package, and whether it is a package."""
    return {name: (path.read_text(), path.name == "__init__.py") for name, path in modules("gateway").items()}


def report() -> Iterator[str]:
    """The house as it stands, for people."""
    sources = house()
    found = arrows(sources)
    lines = Counter({name: len(text.splitlines()) for name, (text, _) in sources.items()})
    sizes: Counter[str] = Counter()
    for name, count in lines.items():
        sizes[place(name)] += count
    yield "Floors (lines):"
    for number, places in reversed(list(enumerate(_HOUSE))):
        yield f"  {number}  {'  '.join(f'{name} {sizes[name]}' for name in places.split())}"
    between = Counter((place(arrow.module), place(arrow.imported)) for arrow in found if place(arrow.module) != place(arrow.imported))
    yield f"Imports between folders: {between.total()} in {len(between)} arrows:"
    for name in sorted(FLOORS, key=lambda name: (-FLOORS[name], name)):
        if below := {there: count for (here, there), count in sorted(between.items()) if here == name}:
            yield f"  {name} -> {', '.join(f'{there} {count}' for there, count in below.items())}"
    yield f"The outside world comes in at: {', '.join(sorted({module for seam in SEAMS.values() for module in seam}))}"
    yield from _named("Ways around them", dict.fromkeys(around_seams(sources)))
    round_trips = circles((arrow.module, arrow.imported) for arrow in found)
    yield from _named("Circles of files", {", ".join(sorted(circle)): None for circle in round_trips})
    yield from _named("Imports against the rules", {str(arrow): None for arrow in [*upward(found), *forbidden(found)]})
    yield f"A session asks of its link: {', '.join(sorted(asked_of_owner(sources)))}"
    long = [name for name in lines if lines[name] > LONGEST]
    yield from _named(f"Files of more than {LONGEST} lines", {f"{name} {lines[name]}": LONG.get(name) for name in long})


def _named(title: str, found: Mapping[str, str | None]) -> Iterator[str]:
    yield f"{title}: {len(found) or 'none'}"
    for text, reason in found.items():
        yield f"  {text}"
        yield f"    {reason or 'NOT EXPECTED'}"


if __name__ == "__main__":
    print("\n".join(report()))
