"""The table that ``--check`` prints."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from .. import registry
from ..options import write_count, write_duration, write_size
from .config import Config
from .plan import LinkPlan, StreamOptions


def table(config: Config) -> str:
    """For each link its place, framing and codec, and what is unsafe (marked ``!``); then who hears whom, warnings and notes."""
    from tabulate import tabulate  # only --check prints tables

    plans = config.links.values()
    memory, linger = write_size(config.gateway.memory), write_duration(config.gateway.linger)
    where = [_where_row(plan, config) for plan in plans]
    wiring = [
        [plan.name, plan.topic, ", ".join(config.sources[plan.name]) or "-", ", ".join(config.heard_by(plan.name)) or "-"] for plan in plans
    ]
    blocks = [
        f"{config.file}: {write_count(len(plans), 'link')}, memory for outboxes {memory}, linger {linger}",
        tabulate(
            where,
            headers=["link", "transport", "where", "TLS", "framing", "codec", "outbox", "sessions", "unsafe"],
            disable_numparse=True,
        ),
        tabulate(wiring, headers=["link", "topic", "hears (they write to it)", "is heard by (it writes to them)"], disable_numparse=True),
    ]
    remarks = [f"note: {text}" for text in _absent(config)]
    remarks += [*(f"warning: {text}" for text in config.warnings), *(f"note: {text}" for text in config.notes)]
    if remarks:
        blocks.append("\n".join(remarks))
    return "\n\n".join(blocks)


def _absent(config: Config) -> Iterator[str]:
    """Devices and sockets that are not there now. They are no mistakes of the file, so `load` does not look for them."""
    for plan in config.links.values():
        module = registry.load("transport", plan.transport)
        for text in module.absent(plan.options) if hasattr(module, "absent") else ():
            yield f"{config.file}:{config.lines[plan.name]}: [{plan.name}] {text}"


def _where_row(plan: LinkPlan, config: Config) -> list[str]:
    options: Any = plan.options
    outbox = options.outbox
    return [
        plan.name,
        plan.transport,
        _where(plan),
        getattr(options, "tls", None) or "-",
        _framing(plan, config),
        registry.kind_name(options.codec),
        f"{write_size(outbox.bytes)} {outbox.when_full}",
        str(options.max_sessions) if plan.place("listens")[1] is not None else "-",
        "".join(f"! {exposure.mark} " for exposure in config.exposures(plan.name)).rstrip() or "-",
    ]


def _where(plan: LinkPlan) -> str:
    for does, words in (("listens", "listens on "), ("connects", "connects to "), ("opens", ""), ("reads", "")):
        value = plan.place(does)[1]
        if value is not None:
            shared_by = registry.trait(plan.options, "SHARED_BY", "")
            return f"{words}{value}{' ' + str(getattr(plan.options, shared_by)) if shared_by else ''}"
    return "-"


def _framing(plan: LinkPlan, config: Config) -> str:
    if plan.framing is None:
        return "messages"
    name = registry.kind_name(plan.framing)
    if origin := config.inherits.get(plan.name):
        return f"{name} (as {origin}{', bytes as received' if plan.verbatim else ''})"
    given = isinstance(plan.options, StreamOptions) and plan.options.framing is not None
    return name if given else f"{name} (default)"
