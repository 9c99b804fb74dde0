"""What is unsafe about a link because the file asks for it: open to strangers, or without verification."""

from __future__ import annotations

import ipaddress
from collections.abc import Sequence
from typing import Any, NamedTuple

from ..options import Address
from .plan import LinkPlan


def is_loopback(host: str) -> bool:
    """Whether only this machine can connect to the host."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


class Exposure(NamedTuple):
    """Something unsafe: a mark for the table of ``--check``, and a sentence for the log ("" where a part warns of it itself)."""

    mark: str
    text: str = ""


def exposures(plan: LinkPlan, tls: Any, writes_to: Sequence[str]) -> list[Exposure]:
    """All that is unsafe about a link.

    ``tls`` has the options of its [tls] section, or is None; ``writes_to`` names the links that hear this one.
    """
    options: Any = plan.options
    listen, connect = (plan.place(does)[1] for does in ("listens", "connects"))
    writes = f", and can write to {', '.join(writes_to)}" if writes_to else ""
    found = []
    if isinstance(listen, Address) and not is_loopback(listen.host):
        if tls is None:
            found.append(Exposure("no TLS", f"listens on {listen} without TLS: anyone who can connect hears all that it hears{writes}"))
        elif writes and tls.client_certificates != "required":
            found.append(Exposure("no client certificate", f"asks for no client certificate: whoever reaches {listen} is let in{writes}"))
    if isinstance(listen, str) and getattr(options, "mode", 0) & 0o066:
        found.append(Exposure(f"mode 0{options.mode:o}", f"mode 0{options.mode:o}: other users of this machine can connect{writes}"))
    if tls is not None and listen is not None and tls.fallback != "never":
        found.append(Exposure(f"fallback {tls.fallback}" + (", may write" if tls.fallback_write else "")))
    if tls is not None and connect is not None and tls.verify != "yes":
        found.append(Exposure(f"verify {tls.verify}"))
    if "*" in getattr(options, "origins", ()):
        found.append(Exposure("origins *"))
    return found
