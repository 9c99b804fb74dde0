"""Loads an INI file: checks everything before anything starts, and makes the plan of each link.

`load` reports all mistakes at once. No module outside this folder knows that the configuration is an INI file.
"""

from __future__ import annotations

import os
import stat
from typing import Any

from .. import registry
from ..errors import ConfigError
from ..options import Options
from ..tls.options import Role, TlsOptions
from . import ini
from .config import Config, ConfigErrors, GatewayOptions
from .draft import Draft, check_name
from .elsewhere import elsewhere
from .implied import meant
from .inherit import Framings
from .ini import Section
from .machine import is_this_machine
from .places import check_places
from .plan import CODEC, LinkOptions, LinkPlan, StreamOptions
from .sections import Reading, load_part
from .sentences import did_you_mean, quote, shorten
from .wiring import Wiring

_LATER = ("control", "log", "metrics", "console", "cluster")


def load(path: str) -> Config:
    """Load the configuration in the file at ``path``; raises ConfigErrors with every mistake in it."""
    try:
        data = _contents(path)
    except ConfigError as error:
        raise ConfigErrors([error]) from None
    return _Loading(path, *ini.read(data, path)).config()


def _contents(path: str) -> bytes:
    try:
        mode = os.stat(path).st_mode
        if not stat.S_ISREG(mode):
            what = "a directory" if stat.S_ISDIR(mode) else "not a regular file"
            raise ConfigError(f"this is {what}: --config takes the INI file", file=path)
        with open(path, "rb") as file:
            return file.read(ini.LARGEST + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else str(error)
        if isinstance(error, FileNotFoundError):
            reason = f"{reason}: --config takes the INI file"
        raise ConfigError(f"cannot be read: {reason}", file=path) from None


class _Loading:
    """The loading of one file: collects errors, warnings and notes while sections become options, and options plans."""

    def __init__(self, file: str, sections: list[Section], errors: list[ConfigError]) -> None:
        self._file = file
        self._errors = errors
        self._warnings: list[tuple[int, str]] = []
        self._notes: list[tuple[int, str]] = []
        self._directory = os.path.dirname(os.path.abspath(file))
        self._gateway: Options | None = GatewayOptions()
        self._tls: dict[str, tuple[Section, Reading, Any]] = {}
        self._drafts: dict[str, Draft] = {}
        for section in sections:
            self._take(section)
        if not self._drafts and not errors:
            errors.append(ConfigError("no link here: add a section with device, listen or connect", file=file))

    def config(self) -> Config:
        """The checked configuration; raises ConfigErrors."""
        wiring = Wiring(self._drafts)
        wiring.check(self._knows_clients)
        framings = Framings(self._drafts, wiring)
        for draft in self._drafts.values():
            self._check_tls_name(draft)
        check_places(list(self._drafts.values()), is_this_machine)
        for name, (section, reading, options) in self._tls.items():
            if options is not None:
                self._check_tls(name, section, reading, options)
        if self._errors:
            raise ConfigErrors(self._errors)
        plans = {name: self._plan(draft, wiring, framings) for name, draft in self._drafts.items()}
        config = Config(
            file=self._file,
            gateway=self._gateway,  # type: ignore[arg-type]
            links=plans,
            tls={name: options for name, (_section, _reading, options) in self._tls.items()},
            warnings=(),
            notes=(),
            wiring={name: wiring.filters(name) for name in plans},
            sources={name: wiring.sources(name) for name in plans},
            hearers={label: tuple(names) for label, names in wiring.hearers().items() if label in plans},
            inherits={name: origin for name in plans if (origin := framings.in_force(name)[1])},
            lines={name: draft.line for name, draft in self._drafts.items()},
        )
        for draft in self._drafts.values():
            self._warn_of(draft, config)
        warnings, notes = (tuple(text for _line, text in sorted(found)) for found in (self._warnings, self._notes))
        return config._replace(warnings=warnings, notes=notes)

    # From sections to options

    def _take(self, section: Section) -> None:
        reading = Reading(section, self._file, lambda path: os.path.join(self._directory, path), self._errors, elsewhere)
        section = reading.uncommented()
        reading = reading.of(section)
        kind, _, name = section.name.partition(" ")
        if kind == "tls" or (name and kind.lower() == "tls"):
            if kind != "tls":
                reading.refuse(f"write tls in small letters: [tls {shorten(name)}]")
            self._take_tls(name, section, reading)
        elif section.name == "gateway":
            self._gateway = reading.options(GatewayOptions)
        elif section.name in _LATER:
            reading.refuse("this version has no such section: remove it")
        else:
            try:
                check_name(section.name)
            except ValueError as error:
                reading.refuse(str(error))
            self._drafts[section.name] = self._draft(section, reading)

    def _take_tls(self, name: str, section: Section, reading: Reading) -> None:
        if not name or " " in name:
            reading.refuse("a TLS section has one name: [tls NAME]")
            return
        options = reading.options(TlsOptions)
        self._tls[name] = (section, reading, options)

    def _draft(self, section: Section, reading: Reading) -> Draft:
        transport, section = meant(section, reading)
        module = options = None
        if transport:
            try:
                module = load_part("transport", transport)
            except ConfigError as error:
                reading.refuse(error.message, "transport")
        reading = reading.of(section)
        if module is not None:
            options = reading.options(module.Options, parts={"codec": getattr(module, "DEFAULT_CODEC", CODEC)})
        else:
            # The options that every link has can still be checked.
            reading.options(StreamOptions, own=tuple(key for key in section.entries if key.split(".")[0] not in StreamOptions.model_fields))
        return Draft(section, reading, transport, module, options if isinstance(options, LinkOptions) else None)

    # TLS

    def _check_tls_name(self, draft: Draft) -> None:
        name = draft.text("tls")
        if name and name not in self._tls and draft.module is not None and "tls" in draft.module.Options.model_fields:
            hint = did_you_mean(name, self._tls)
            if not hint and (name in ("yes", "no", "true", "false", "on", "off") or "." in name):
                hint = ": tls takes the NAME of a [tls NAME] section, which has certificate and private_key"
            elif not hint:
                hint = ": add it" + (", with certificate and private_key" if draft.text("listen") else "")
            draft.reading.refuse(f"there is no [tls {shorten(name)}] section{hint}", "tls")

    def _knows_clients(self, draft: Draft) -> bool:
        _section, _reading, options = self._tls.get(draft.text("tls"), (None, None, None))
        if draft.text("tls") in self._tls and options is None:
            return True
        return options is not None and options.client_certificates == "required" and draft.place("connects")[1] is None

    def _check_tls(self, name: str, section: Section, reading: Reading, options: Any) -> None:
        from ..tls.contexts import check_files  # imports OpenSSL, which only files with TLS need
        from ..tls.contexts import warnings as tls_warnings

        users = [draft for draft in self._drafts.values() if draft.text("tls") == name]
        listens = any(draft.place("listens")[1] is not None for draft in users)
        connects = any(draft.place("connects")[1] is not None for draft in users)
        role: Role = "both" if listens and connects else "server" if listens else "client"
        reading.refuse_all(check_files(options, role), type(options))
        for text in tls_warnings(options, role):
            self._warn(section.name, section.line, text)
        if not users:
            self._warn(section.name, section.line, f"no link uses it; to use it: tls = {name} in the section of a link")
        elif not listens and options.fallback != "never":
            self._warn(section.name, section.line, f"fallback = {options.fallback} is for listeners: a client never falls back")

    # From options to plans

    def _plan(self, draft: Draft, wiring: Wiring, framings: Framings) -> LinkPlan:
        assert draft.options is not None
        framing, _origin = framings.in_force(draft.name)
        return LinkPlan(draft.name, draft.transport, draft.options, framing, framings.verbatim(draft.name))

    def _warn(self, section: str, line: int, text: str, *, note: bool = False) -> None:
        (self._notes if note else self._warnings).append((line, f"{self._file}:{line}: [{section}] {text}"))

    def _warn_of(self, draft: Draft, config: Config) -> None:
        parts = [(draft.module, draft.options)]
        for kind, options in (("framing", getattr(draft.options, "framing", None)), ("codec", config.links[draft.name].options.codec)):
            if options is not None:
                parts.append((registry.load(kind, registry.kind_name(options)), options))
        for module, options in parts:
            for text in module.warnings(options) if hasattr(module, "warnings") else ():
                self._warn(draft.name, draft.line, text)
        for exposure in config.exposures(draft.name):
            if exposure.text:
                self._warn(draft.name, draft.line, exposure.text)
        for other in self._ports_before(draft, config) if draft.is_port else ():
            if draft.name in config.sources[other.name]:
                text = f"hears [{other.name}], and [{other.name}] hears it: what one device sends is written to the other;"
                self._warn(draft.name, draft.line, f"{text} if both echo, it goes round for ever")
        one_peer = draft.place("listens")[1] is None  # no other session of this link can hear it
        if not set(config.heard_by(draft.name)) - ({draft.name} if one_peer else set()):
            self._warn(draft.name, draft.line, self._unheard(draft, config), note=bool(config.sources[draft.name]))

    def _ports_before(self, draft: Draft, config: Config) -> list[Draft]:
        """The devices that a link hears and that come before it in the file."""
        heard = [self._drafts[name] for name in config.sources[draft.name] if name in self._drafts]
        return [other for other in heard if other.is_port and other.line < draft.line]

    def _unheard(self, draft: Draft, config: Config) -> str:
        listens = draft.place("listens")[1] is not None
        if listens or draft.place("connects")[1] is not None:
            who = "its clients send" if listens else "the far end sends"
            subscribed = set(draft.subscribe)
            named = [name for name in config.sources[draft.name] if name in subscribed]
            writable = [name for name in named if name in self._drafts and self._drafts[name].takes_data]
            return f"what {who} goes nowhere" + (f"; to write to {writable[0]}: attach = {writable[0]}" if writable else "")
        return f"nobody hears it; to hear it: subscribe = {quote(config.links[draft.name].topic)[1:-1]} in another section"
