"""What a file comes to: the options of the program, the plans of its links, or all that is wrong with it."""

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

    memory: Size = Field(256 << 20, ge=1 << 20, description="what may wait in all outboxes together; past it the fullest goes first")
    linger: Duration = Field(1.5, ge=0, le=60, description="at the end, how long whole packets that still wait may take to be written")


class ConfigErrors(GatewayError):  # noqa: N818
    """All that is wrong with one file, by line; ``str()`` has one line for each."""

    def __init__(self, errors: Iterable[ConfigError]) -> None:
        self.errors = sorted(errors, key=lambda error: error.line)
        super().__init__("\n".join(map(str, self.errors)))


class Config(NamedTuple):
    """A file without mistakes. Equal when nothing changed."""

    file: str
    gateway: GatewayOptions
    links: dict[str, LinkPlan]
    """In the file's order."""
    tls: dict[str, TlsOptions]
    warnings: tuple[str, ...]
    """What works and is probably not meant, or not safe; each with file and line."""
    notes: tuple[str, ...]
    """What is meant in most cases, and good to know: a reader whose input goes nowhere."""
    hears: dict[str, tuple[str, ...]]
    """For each link the links that it hears; ``NAME/$sent`` is what is written to one."""
    inherits: dict[str, str]
    """For a link that takes its framing from another: which."""
    lines: dict[str, int]
    """For each link the line of its section."""

    def heard_by(self, name: str) -> tuple[str, ...]:
        """The links that hear this one: those that its sessions write to."""
        return tuple(other for other, heard in self.hears.items() if name in heard)

    def exposures(self, name: str) -> list[Exposure]:
        """What is unsafe about a link."""
        plan = self.links[name]
        return exposures(plan, self.tls.get(getattr(plan.options, "tls", None) or ""), self.heard_by(name))
