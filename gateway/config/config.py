"""What loading an INI file gives: a `Config`, or `ConfigErrors` with every mistake in it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from pydantic import Field

from ..errors import ConfigError, GatewayError
from ..options import Duration, Options, Size
from ..tls.options import TlsOptions
from .exposures import Exposure, exposures
from .plan import LinkPlan


class GatewayOptions(Options):
    """The whole program."""

    memory: Size = Field(
        256 << 20, ge=1 << 20, description="what may wait in all outboxes together; beyond it the fullest is emptied first"
    )
    linger: Duration = Field(1.5, ge=0, le=60, description="at shutdown, for how long whole packets that still wait are written")


class ConfigErrors(GatewayError):  # noqa: N818
    """Every mistake in one file, sorted by line; ``str()`` has one line for each."""

    def __init__(self, errors: Iterable[ConfigError]) -> None:
        self.errors = sorted(errors, key=lambda error: error.line)
        super().__init__("\n".join(map(str, self.errors)))


class Config(NamedTuple):
    """The content of a file without mistakes. Two are equal when nothing changed."""

    file: str
    gateway: GatewayOptions
    links: dict[str, LinkPlan]
    """In the file's order."""
    tls: dict[str, TlsOptions]
    warnings: tuple[str, ...]
    """What works but is unsafe, or probably a mistake; each text begins with file and line."""
    notes: tuple[str, ...]
    """What is usually intended but worth knowing, as a reader whose input goes nowhere; each text begins with file and line."""
    wiring: dict[str, tuple[str, ...]]
    """For each link the topic filters that it hears: those of ``subscribe`` and ``attach``, and one for each link that attaches to it."""
    sources: dict[str, tuple[str, ...]]
    """For each link the names of the links that it hears; ``NAME/$sent`` where it hears what is written to NAME."""
    hearers: dict[str, tuple[str, ...]]
    """For each link that is heard, the links that hear it."""
    inherits: dict[str, str]
    """For each link that takes its framing from another, the name of that link."""
    lines: dict[str, int]
    """For each link the line of its section header."""

    def heard_by(self, name: str) -> tuple[str, ...]:
        """The links that hear this one, which is where the packets of its peers go."""
        return self.hearers.get(name, ())

    def exposures(self, name: str) -> list[Exposure]:
        """What is unsafe about a link."""
        plan = self.links[name]
        return exposures(plan, self.tls.get(getattr(plan.options, "tls", None) or ""), self.heard_by(name))
