"""What is unsafe about a link because the file asks for it: open to strangers, or without verification."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

from .. import registry
from ..net.hosts import is_loopback
from ..options import Address
from .plan import LinkPlan


class Exposure(NamedTuple):
    """Something unsafe: a mark for the table of ``--check``, and a sentence for the log ("" where `gateway.tls` warns of it itself)."""

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
    if tls is not None and listen is not None and tls.fallback != "never":
        found.append(Exposure(f"fallback {tls.fallback}" + (", may write" if tls.fallback_write else "")))
    if tls is not None and connect is not None and tls.verify != "yes":
        found.append(Exposure(f"verify {tls.verify}"))
    module = registry.load("transport", plan.transport)
    for exposure in module.exposures(options) if hasattr(module, "exposures") else ():
        found.append(exposure._replace(text=exposure.text + writes))
    return found
