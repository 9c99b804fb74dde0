"""The clocks of this machine. Nothing else reads them: whoever needs the time is handed a clock."""

from __future__ import annotations

import time
from datetime import UTC, datetime

monotonic = time.monotonic
"""Seconds that only go forward, for timers."""
wall = time.time_ns
"""The time of day in ns since the epoch, for stamps; it may jump."""


def utc() -> datetime:
    """The time of day with its date, for certificates and people."""
    return datetime.now(UTC)
