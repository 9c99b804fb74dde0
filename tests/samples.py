"""Captures of real devices, which are not part of the project: they lie next to the checkout, where there are any."""

from __future__ import annotations

import os
from pathlib import Path

from scripts import demo_log

_NEXT_TO_CHECKOUT = Path(__file__).resolve().parent.parent.parent / "shared" / "samples"


def folder() -> Path | None:
    """Where the captures are: ``$GATEWAY_SAMPLES``, else ``../shared/samples`` seen from the checkout; None if neither is there."""
    found = Path(os.environ.get("GATEWAY_SAMPLES") or _NEXT_TO_CHECKOUT)
    return found if found.is_dir() else None


def nmea(name: str) -> bytes:
    """The bytes of a capture that is NMEA lines, as ``signalk/gps-head64k.log``; without captures, as much of the demo's log.

    So the tests that read it hold on any machine; where the captures are, they hold for real devices.
    """
    captures = folder()
    if captures is not None:
        return (captures / name).read_bytes()
    return b"".join(demo_log.capture())[: 64 << 10]
