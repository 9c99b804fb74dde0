"""Generates the reference of all options from the code: ``conf/reference.ini`` and ``docs/reference.md``.

``python -m gateway.config.reference`` writes both into the checkout; with ``--check`` it writes nothing, and exits with 1 if one is
not current.
"""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Iterator
from inspect import cleandoc
from pathlib import Path
from typing import NamedTuple

from pydantic.fields import FieldInfo

from .. import registry
from ..codecs import CodecOptions
from ..framing import FramingOptions
from ..options import Options
from ..tls.options import TlsOptions
from .config import GatewayOptions
from .fields import nested, part_kind, written
from .ini import __doc__ as ini_form
from .plan import CODEC, LinkOptions, StreamOptions

_MADE = "Generated from the code by `make reference`; change the descriptions in the code."
_ACTIVE = """\
[scale]
device = /dev/ttyUSB0

[lan]
listen = 127.0.0.1:7000
attach = scale
"""
_LIMITS = (("ge", "at least"), ("gt", "more than"), ("le", "at most"), ("lt", "less than"))


class Row(NamedTuple):
    """One option: its key, what to write, its default as text ("" if it has none), and what it does."""

    key: str
    words: str
    default: str
    text: str


class Chapter(NamedTuple):
    """The options of one section of the INI file, or of one part."""

    title: str
    header: str
    """The lines above the options in ``conf/reference.ini``."""
    text: str
    rows: list[Row]


def chapters() -> Iterator[Chapter]:
    """All chapters of the reference, in order."""
    yield Chapter("[gateway]", "[gateway]", _about(GatewayOptions), list(_rows(GatewayOptions)))
    yield Chapter("[tls NAME]", "[tls site]", _about(TlsOptions), list(_rows(TlsOptions)))
    yield Chapter("Every link", "[any-link]", _about(LinkOptions), list(_rows(LinkOptions, defaults={"codec": CODEC})))
    yield Chapter("Every link on a byte stream", "[any-stream]", _about(StreamOptions), list(_rows(StreamOptions, beyond=LinkOptions)))
    for name in registry.names("transport"):
        module = registry.load("transport", name)
        codec = getattr(module, "DEFAULT_CODEC", "")
        rows = list(_rows(module.Options, beyond=StreamOptions, defaults={"codec": codec} if codec else {}))
        yield Chapter(f"transport = {name}", f"[a-{name}-link]\ntransport = {name}", _about(module.Options), rows)
    for kind, common in (("framing", FramingOptions), ("codec", CodecOptions)):
        if common.model_fields:
            yield Chapter(f"Every {kind}", f"[any-{kind}]\n{kind} = NAME", _about(common), list(_rows(common, f"{kind}.")))
        for name in registry.names(kind):
            module = registry.load(kind, name)
            about = _about(module.Options) if module.Options.__doc__ else _first_paragraph(module.__doc__)
            rows = list(_rows(module.Options, f"{kind}.", beyond=common))
            yield Chapter(f"{kind} = {name}", f"[{kind}-{name}]\n{kind} = {name}", about, rows)


def _about(options: type[Options]) -> str:
    return _first_paragraph(options.__doc__)


def _first_paragraph(doc: str | None) -> str:
    return cleandoc(doc or "").partition("\n\n")[0].replace("\n", " ").replace("``", "`")


def _rows(
    options: type[Options], prefix: str = "", *, beyond: type[Options] | None = None, defaults: dict[str, str] | None = None
) -> Iterator[Row]:
    """The options of a class, without those that are the same in ``beyond``."""
    common = set(_rows(beyond, prefix)) if beyond else set()
    for name, field in options.model_fields.items():
        if inner := nested(field):
            start = field.default if isinstance(field.default, Options) else None
            given = {key: written(inner.model_fields[key]).text(getattr(start, key)) for key in (start.model_fields_set if start else ())}
            found = list(_rows(inner, f"{prefix}{name}.", defaults=given))
        else:
            found = [Row(prefix + name, _words(field), (defaults or {}).get(name) or _default(field), field.description or "")]
        yield from (row for row in found if row not in common)


def _words(field: FieldInfo) -> str:
    form = written(field)
    limits = [f"{words} {form.text(getattr(mark, limit))}" for limit, words in _LIMITS for mark in field.metadata if hasattr(mark, limit)]
    required = ["required"] if field.is_required() else []
    return ", ".join([form.words, *limits, *required])


def _default(field: FieldInfo) -> str:
    value = None if field.is_required() or part_kind(field) else field.get_default(call_default_factory=True)
    return "" if value is None else written(field).text(value)


def ini() -> str:
    """The text of ``conf/reference.ini``: every option, commented out, with what it does; then a bridge that is not."""
    lines = [f"; Every option of every part, commented out, with its default. {_MADE}", "; What to write stands behind ->", ""]
    for chapter in chapters():
        lines += [
            f"; {'-' * 100}",
            *_comment(f"{chapter.title}. {chapter.text}"),
            *(f";{line}" for line in chapter.header.splitlines()),
            "",
        ]
        for row in chapter.rows:
            lines += [*_comment(row.text), *_comment(f"-> {row.words}"), f";{row.key} = {row.default}".rstrip(), ""]
    return "\n".join([*lines, f"; {'-' * 100}", "; A two-way bridge, in six lines.", _ACTIVE])


def _comment(text: str) -> list[str]:
    return textwrap.wrap(text, 110, initial_indent="; ", subsequent_indent="; ", break_long_words=False, break_on_hyphens=False)


def markdown() -> str:
    """The text of ``docs/reference.md``: the same in tables."""
    form = cleandoc(ini_form or "").partition("\n\n")[2].replace("``", "`")
    lines = ["# Reference", "", _MADE, "", "## The form of the file", "", form, ""]
    for chapter in chapters():
        lines += [f"## {_cell(chapter.title)}", "", chapter.text, ""]
        if chapter.rows:
            lines += ["| key | value | default | what it does |", "|---|---|---|---|"]
            lines += [f"| `{row.key}` | {_cell(row.words)} | {_code(row.default)} | {_cell(row.text)} |" for row in chapter.rows]
            lines.append("")
    return "\n".join(lines)


def _cell(text: str) -> str:
    return "".join("\\" + char if char in "|\\*_<>[]{}" else char for char in text)


def _code(text: str) -> str:
    return f"`{text}`" if text else ""


def main(arguments: list[str], root: Path) -> int:
    """Write both files below ``root``, or with ``--check`` compare them; returns the exit status."""
    pages = {root / "conf" / "reference.ini": ini(), root / "docs" / "reference.md": markdown()}
    if arguments == ["--check"]:
        stale = [path for path, text in pages.items() if not path.exists() or path.read_text(encoding="utf-8") != text]
        for path in stale:
            print(f"{path.relative_to(root)} is not current: run make reference")
        return 1 if stale else 0
    if arguments:
        print("usage: python -m gateway.config.reference [--check]")
        return 2
    for path, text in pages.items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:], Path(__file__).parent.parent.parent))
